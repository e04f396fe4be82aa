"""How often somebody may ask: a bucket each, kept in memory only."""

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address


class Buckets:
    """Token buckets by key: `burst` requests at once, then `per_second`. The `most` keys seen last are remembered."""

    def __init__(self, burst: int, per_second: float, most: int = 10_000):
        self.burst, self.per_second, self.most = burst, per_second, most
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, key: str, at: float) -> float:
        """Take one from a bucket: seconds until there is one to take, 0 if it was taken.

        Args:
            key: Whose bucket.
            at: The time, in seconds. A clock put back fills no bucket and empties none.
        """
        left, since = self._left.pop(key, (float(self.burst), at))
        left = min(self.burst, left + max(at - since, 0.0) * self.per_second)
        is_taken = left >= 1
        self._left[key] = (left - is_taken, at)
        if len(self._left) > self.most:
            self._left.popitem(last=False)
        return 0.0 if is_taken else (1 - left) / self.per_second

    def delay(self, key: str, at: float) -> float:
        """Seconds until there is one to take, without taking it: as `wait`."""
        left, since = self._left.get(key, (float(self.burst), at))
        left = min(self.burst, left + max(at - since, 0.0) * self.per_second)
        return 0.0 if left >= 1 else (1 - left) / self.per_second


def origin_of(host: str) -> str:
    """Whose an address is: of IPv6, the network, since one machine has a whole one to itself."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    return str(address.ipv4_mapped or int(address) >> 64)
