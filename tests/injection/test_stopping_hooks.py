"""Hooks that end the server themselves are known by their words; others are left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from lossless.injection.stopping_hooks import ending_in
from lossless.model.names import INCOMPLETE_ANNOTATION
from tests.injection.pods import applied, container, injection, pod, warnings_of

#: Scripts of a shell that end a server, whose container has nothing to do with it by its name.
ENDING = [
    "nginx -s quit; while killall -0 nginx; do sleep 1; done",
    "sleep 15 && nginx -s stop",
    "/usr/sbin/nginx -c /etc/nginx/nginx.conf -s quit",
    "nginx -squit",
    "openresty -s quit",
    "kill -INT 1; sleep 60",
    "kill 1",
    "PID=$(pidof java) && kill $PID && while ps -p $PID > /dev/null; do sleep 1; done",
    "kill -USR1 1",
    "kill -s QUIT 1",
    "kill -n 3 1",
    "kill -15 1",
    "kill -SIGTERM $(cat /run/app.pid)",
    "kill -QUIT `cat /run/app.pid`",
    "kill --signal=TERM 1",
    "/bin/kill -TERM 1",
    "busybox kill 1",
    "env -u A kill 1",
    "A=b kill 1",
    "sudo -u root kill 1",
    "timeout 5 kill 1",
    "nohup nice -n 5 nginx -s quit &",
    "pidof app | xargs -r kill",
    "(sleep 1; kill 1)",
    "{ kill 1; }",
    "if true; then kill 1; fi",
    "for p in 1 2; do kill $p; done",
    "case $A in b) kill 1;; esac",
    "bash -lc 'kill 1'",
    "sh -ec \"sh -c 'kill 1'\"",
    "eval 'kill 1'",
    "echo $(kill 1)",
    "sleep 5\nkill 1",
    "sleep 5; \\\n  kill \\\n 1",
    "kill 1 >/dev/null 2>&1",
    "2>/dev/null kill 1",
    "kill -- -1",
    "kill -9 -1",
    "kill -TERM -- 1",
    "kill $(pidof app)",
    "bash -c -- 'kill 1'",
    "python3 -c 'import os; os.kill(1, 15)'",
    "node -e 'process.kill(1)'",
    "perl -e 'kill \"TERM\", 1'",
    "php artisan octane:stop",
    "rake unicorn:stop",
    "curl -X POST localhost:15000/drain_listeners?inboundonly",
    "pkill nginx",
    "pkill -x -TERM app",
    "pkill -QUIT -f app",
    "killall app",
    "killall -s INT app",
    "killall5",
    "kill -WINCH $(cat /run/nginx.pid)",
    "kill -WINCH `pidof httpd`",
    "apachectl graceful-stop",
    "apache2ctl -k graceful-stop",
    "httpd -k stop",
    "supervisorctl stop all",
    "supervisorctl -c /etc/s.conf shutdown",
    "supervisorctl restart web",
    "supervisorctl signal QUIT web",
    "haproxy -f /x.cfg -sf $(cat /run/haproxy.pid)",
    "haproxy -st 7",
    "echo 'shutdown frontend web' | socat stdio /run/haproxy.sock",
    "uwsgi --stop /run/uwsgi.pid",
    "catalina.sh stop 30",
    "/opt/tomcat/bin/shutdown.sh",
    "kafka-server-stop",
    "rabbitmqctl stop",
    "rabbitmqctl stop_app",
    "rabbitmqctl -n a@b shutdown",
    "rabbitmq-upgrade drain",
    "redis-cli -a x SHUTDOWN NOSAVE",
    "mysqladmin -u root --password=x shutdown",
    "pg_ctl -D /data -m fast stop",
    "mongod --shutdown",
    "mongosh --eval 'db.shutdownServer()'",
    "nats-server --signal quit=/run/nats.pid",
    "nodetool drain",
    "jboss-cli.sh --connect command=:shutdown",
    "service nginx stop",
    "systemctl stop nginx",
    "/etc/init.d/nginx stop",
    "sv stop /service/app",
    "s6-svc -d /service/app",
    "start-stop-daemon --stop --pidfile /x",
    "pm2 stop all",
    "pumactl -P /x stop",
    "caddy stop",
    "fuser -k 8080/tcp",
    "squid -k shutdown",
    "curl -X POST http://localhost:15000/quitquitquit",
    "wget -qO- --post-data= http://127.0.0.1:8080/actuator/shutdown",
    "/wait-shutdown",
]
LEFT_ALONE = [
    "sleep 15",
    "kill -0 1",
    "while kill -0 1; do sleep 1; done",
    "while killall -0 nginx; do sleep 1; done",
    "until ! pkill -0 app; do sleep 1; done",
    "kill -l",
    "kill",
    "kill -TERM",
    "kill -- %1",
    "kill -s 0 1",
    "python3 -c 'import os; os.kill(1, 0)'",
    "python3 /app/stop.py",
    "node deregister.js stop",
    "php artisan queue:restart",
    "kill -HUP 1",
    "kill -s HUP 1",
    "kill -CONT 1",
    "kill -WINCH 1",
    "kill -USR1 $(cat /run/nginx.pid)",
    "killall -USR1 php-fpm",
    "nginx -s reload",
    "nginx -s reopen",
    "nginx -t",
    "apachectl graceful",
    "httpd -k graceful",
    "supervisorctl status",
    "supervisorctl signal HUP web",
    "haproxy -c -f /x.cfg",
    "uwsgi --reload /run/uwsgi.pid",
    "catalina.sh version",
    "rabbitmqctl await_online_nodes 1",
    "redis-cli ping",
    "service nginx reload",
    "start-stop-daemon --stop --signal HUP --pidfile /x",
    "echo nginx -s quit",
    "echo 'kill 1'",
    "# nginx -s quit\nsleep 5",
    "sleep 5 # kill 1",
    "trap 'kill 1' TERM; sleep 5",
    "logger stop",
    "touch /tmp/shutdown",
    "rm /run/stop; sleep 5",
    "/bin/contour envoy shutdown",
    "envoy-gateway envoy shutdown",
    "curl -X POST localhost:8080/drain",
    "curl http://consul/v1/agent/service/deregister/stop",
    "tail -f /x & sleep 5; kill $!",
    "tail -f /x & sleep 5; kill %1",
    "/scripts/pre-stop.sh",
    "/app/prestop",
    "notify --event shutdown",
    "ps aux > /tmp/kill",
    "cat stop",
    "if [ -f /stop ]; then sleep 5; fi",
    "wget -qO- localhost/healthcheck/fail",
    "'unclosed",
    "",
]


@pytest.mark.parametrize("script", ENDING)
def test_what_ends_a_server_is_known(script: str) -> None:
    """By whichever program, signal or wrapper, in a shell's script."""
    assert ending_in(["/bin/sh", "-c", script], "app", "app:1")


@pytest.mark.parametrize("script", LEFT_ALONE)
def test_what_ends_nothing_is_left_alone(script: str) -> None:
    """Waiting, reloading, asking, and words that are only data."""
    assert ending_in(["/bin/sh", "-c", script], "app", "app:1") == ""


@pytest.mark.parametrize(
    ("command", "about", "ends"),
    [
        pytest.param(["nginx", "-s", "quit"], "web", "nginx -s quit", id="no shell"),
        pytest.param(["/bin/kill", "-INT", "1"], "web", "/bin/kill -INT 1", id="a path"),
        pytest.param(["sleep", "5"], "web", "", id="a sleep"),
        pytest.param([], "web", "", id="nothing"),
        pytest.param(["sh", "-c"], "web", "", id="a shell without a script"),
        pytest.param(["sh", "/stop.sh"], "web", "", id="a script that is not seen"),
        pytest.param(["sh", "-c", "kill -USR1 1"], "nginx:1.27", "", id="nginx opens its logs"),
        pytest.param(["sh", "-c", "kill -USR1 1"], "gunicorn", "", id="gunicorn does, too"),
        pytest.param(
            ["sh", "-c", "kill -USR1 1"], "haproxy:3", "kill -USR1 1", id="HAProxy's soft stop"
        ),
        pytest.param(
            ["sh", "-c", "kill -WINCH 1"], "httpd:2", "kill -WINCH 1", id="Apache's soft stop"
        ),
    ],
)
def test_a_signal_means_what_its_server_takes_it_for(
    command: list[str], about: str, ends: str
) -> None:
    """Which server it is the container's name and image say."""
    assert ending_in(command, about) == ends


@given(some.lists(some.text(max_size=30), max_size=5), some.text(max_size=60))
def test_every_command_can_be_asked_about(words: list[str], script: str) -> None:
    """Whatever is in it, the answer is a line."""
    for command in (words, ["sh", "-c", script], ["kill", *words], ["sh", "-c", " ".join(words)]):
        assert "\n" not in ending_in(command)


@pytest.mark.parametrize(
    "hook",
    [
        pytest.param({"exec": {"command": ["sh", "-c", "kill -INT 1; sleep 60"]}}, id="exec"),
        pytest.param({"httpGet": {"path": "/quitquitquit", "port": 15000}}, id="httpGet"),
    ],
)
def test_the_webhook_warns(hook: dict[str, object]) -> None:
    """At admission and in the annotation, the same in a second pass."""
    raw = pod(container("app", lifecycle={"preStop": hook}))
    first = injection(raw)
    (warning,) = [text for text in warnings_of(first) if "ends the server" in text]
    assert warning.startswith("container app: its preStop runs '")
    assert "; take that out of the hook" in warning

    after = applied(raw, list(first.operations))
    assert warning in after["metadata"]["annotations"][INCOMPLETE_ANNOTATION]
    assert injection(after).operations == ()
