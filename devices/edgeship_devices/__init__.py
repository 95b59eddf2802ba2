"""What a board is: profiles of known ones, and what the machine at hand can be seen to be."""

from edgeship_devices.detect import Machine, detect
from edgeship_devices.errors import DeviceError
from edgeship_devices.profile import Profile, profile, profiles

__all__ = ["DeviceError", "Machine", "Profile", "detect", "profile", "profiles"]
