"""What holds for every unit test."""

from hypothesis import settings

# No test fails for the time that a machine takes; what hangs is pytest-timeout's.
settings.register_profile("lossless", settings(), deadline=None)
settings.load_profile("lossless")
