"""Which addresses may be probed: judged after resolution, on what would be connected to.

A name proves nothing: it may resolve to anything, and differently the next time. So a name is
resolved once, each address is judged here, and the connection is made to a judged address.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

REDIRECTS_MAX = 5  # followed in one probe
PORT_MAX = 65_535

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Where clouds hand out credentials to whoever asks from inside. Never probed, whatever the target.
METADATA: tuple[Network, ...] = (
    IPv4Network("169.254.0.0/16"),  # AWS, Azure, Google, ECS task credentials: all link-local
    IPv4Network("100.100.100.200/32"),  # Alibaba
    IPv4Network("168.63.129.16/32"),  # Azure's host, a public address
    IPv4Network("192.0.0.192/32"),  # Oracle
    IPv6Network("fd00:ec2::/32"),  # AWS
    IPv6Network("fd20:ce::254/128"),  # Google
    IPv6Network("fd00:42::42/128"),  # Scaleway
)
LOCAL: tuple[Network, ...] = (
    IPv4Network("127.0.0.0/8"),
    IPv4Network("10.0.0.0/8"),
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"),
    IPv4Network("100.64.0.0/10"),  # shared by carriers and private overlays
    IPv6Network("::1/128"),
    IPv6Network("fc00::/7"),
)
SITE_LOCAL = IPv6Network("fec0::/10")  # withdrawn, and `is_global` does not know it
NAT64 = IPv6Network("64:ff9b::/96")


def refusal(address: str, *, private_addresses: bool) -> str:
    """Return why the address may not be probed; empty when it may."""
    try:
        outer = ip_address(address)
    except ValueError:
        return f"{address!r} is no address"
    reached = _reached(outer)
    if any(reached in network for network in METADATA):
        return f"{address} belongs to a cloud's metadata or is link-local"
    if any(reached in network for network in LOCAL):
        return "" if private_addresses else f"{address} is a private address and the target is not local"
    odd = reached.is_multicast or reached.is_reserved or reached.is_unspecified or reached.is_link_local
    if odd or reached in SITE_LOCAL or not reached.is_global:
        return f"{address} is not an address of one public host"
    return ""


def url_refusal(scheme: str, host: str, userinfo: str) -> str:
    """Return why a URL of these parts may not be probed; empty when it may."""
    if scheme not in {"http", "https"}:
        return f"{scheme or 'no scheme'} is neither http nor https"
    if not host:
        return "it names no host"
    return "it carries credentials" if userinfo else ""


def port_refusal(port: int) -> str:
    """Return why a port may not be probed; empty when it may."""
    return "" if 0 < port <= PORT_MAX else "it has no such port"


def redirect_refusal(from_scheme: str, to_scheme: str) -> str:
    """Return why a redirect may not be followed; empty when it may."""
    return "it leads from https to http" if (from_scheme, to_scheme) == ("https", "http") else ""


def _reached(address: Address) -> Address:
    """Return the host that packets to `address` come to, which IPv6 can wrap in several ways."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address
