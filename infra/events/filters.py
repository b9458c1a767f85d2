"""Which keys are of interest, judged by how they begin and end."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyFilter:
    """Takes keys that begin with any of `prefixes` and end with any of `suffixes`; none given takes all.

    Prefixes are compared exactly, because keys are case-sensitive; suffixes without regard to case, because
    cameras write `IMG_1.JPG`.
    """

    prefixes: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()

    def takes(self, key: str) -> bool:
        """True when the key passes."""
        begins = not self.prefixes or key.startswith(self.prefixes)
        return begins and (not self.suffixes or key.lower().endswith(tuple(s.lower() for s in self.suffixes)))
