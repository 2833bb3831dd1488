"""pip's settings for a build."""

import configparser
from pathlib import Path

from e2e.cluster import pip_settings


def test_the_environment_wins_over_files_and_the_last_file_over_the_first(tmp_path: Path) -> None:
    """As in pip itself."""
    first, second = tmp_path / "a.conf", tmp_path / "b.conf"
    first.write_text("[global]\nindex-url = https://one.example/simple\ntimeout = 5\n")
    second.write_text("[install]\ntimeout = 6\n")
    environ = {"PIP_INDEX_URL": "https://two.example/simple", "PATH": "/bin"}

    settings = pip_settings.gather([first, second, tmp_path / "absent.conf"], environ)

    assert settings == {"index-url": "https://two.example/simple", "timeout": "6"}


def test_a_broken_file_is_passed_over(tmp_path: Path) -> None:
    """It is pip's to complain about."""
    broken = tmp_path / "pip.conf"
    broken.write_text("index-url = without a section\n")

    assert pip_settings.gather([broken], {}) == {}


def test_settings_about_this_machines_folders_stay_here() -> None:
    """A virtual environment or a cache folder of the machine means nothing in a build."""
    environ = {"PIP_REQUIRE_VIRTUALENV": "1", "PIP_CACHE_DIR": "/x", "PIP_CONFIG_FILE": "/y"}

    assert pip_settings.gather([], environ) == {}


def test_what_is_rendered_is_a_pip_conf(tmp_path: Path) -> None:
    """Certificates are found where the base image has them; absent folders are left out."""
    settings = {
        "cert": "/home/me/ca.pem",
        "extra-index-url": "https://a.example/simple\nhttps://b.example/simple",
        "find-links": f"{tmp_path} /absent https://c.example/links",
    }
    parser = configparser.RawConfigParser()
    parser.read_string(pip_settings.render(settings))

    assert dict(parser["global"]) == {
        "cert": "/etc/ssl/certs/ca-certificates.crt",
        "disable-pip-version-check": "true",
        "extra-index-url": "https://a.example/simple https://b.example/simple",
        "find-links": f"https://c.example/links {tmp_path}",
    }
    assert pip_settings.local_folders(settings) == [tmp_path]
