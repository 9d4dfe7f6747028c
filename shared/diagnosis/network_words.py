"""How tools say that the network failed them: what begins a tool's last word, and what it then says.

Both together make a pattern; a socket library's words without the tool's beginning decide nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from shared.diagnosis.tool_words import BOX, DOCKER, GIT, NPM, PNPM, TREE, YARN


@dataclass(frozen=True, slots=True)
class Words:
    """One kind of fault, in the words of sockets and libraries, and by the tools' own codes."""

    said: str
    npm: str = ""
    curl: str = ""
    squeezed: str = ""  # without blanks, for tools that break their messages into lines
    whole: tuple[str, ...] = ()  # lines that need no beginning


_MARK = r"\s{0,12}(?:error: |[\u00d7╰├│┼─▶>]{1,4} |Caused by: |cause: |\s{2})"  # uv, Cargo, Gradle
# What a tool that could not fetch or talk begins its last word with.
_BEGINS = (
    GIT + r"fatal: (?:unable to access .{0,400}?: |unable to connect to |read error: |write error: )",
    GIT + r"(?:error: )?RPC failed; ",
    NPM + r"(?:network |FetchError: |RequestError: |fatal: |request to |errno |(?=(?:4\d\d|5\d\d) ))",
    PNPM + r"\w{1,60}\s",
    r"error (?:An unexpected error occurred: |Error: |https?://)",  # yarn
    YARN,
    r"error: (?:GET|POST|ConnectionRefused|.{0,200}failed to (?:download|resolve|fetch))\b",  # Bun
    r"ERROR: (?:Could not install packages due to an OSError: |HTTPSConnection|HTTPConnection)",  # pip
    _MARK + r"(?=Failed to (?:fetch|download|connect)|error sending request|[Rr]equest failed|[Nn]etwork"
    r"|client error"
    r"|tcp connect|dns error|[Dd]ownload of |failed to (?:fetch|download|get|lookup|query|connect"
    r"|update|clone|resolve)"
    r"|\[\d{1,3}\] |Could|Timeout|SSL|[Cc]onnection|operation timed out|Read timed out"
    r"|error resolving|HTTP status)",
    r"\s{0,8}(?=HTTPSConnectionPool|HTTPConnectionPool|NameResolutionError|All attempts to connect)",
    (
        r"(?:go: |verifying |\s{1,8}|[\w./-]{1,200}(?:@\S{1,80}|:\d{1,6}:\d{1,4})?: ).{0,300}?(?:\bGet "
        r"\"?|reading )https?:"
    ),
    r"(?=received unexpected HTTP status|error parsing HTTP \d{3}|dial tcp|Get \"https?:|Head \"https?:)",
    r"pip\._vendor\.[\w.]{1,100}: ",
    (
        r"\[(?:ERROR|FATAL)\] .{0,400}?(?:Could not transfer|transfer failed|Cannot access"
        r"|Failed to read artifact)"
    ),
    _MARK + r"(?=Could not (?:GET|HEAD|PUT|resolve|download) |(?:java|javax)\.(?:net|io)\.|Connect to \S"
    r"|\S{1,200}: Name)",
    r"Exception in thread \"main\" (?:java|javax)\.(?:net|io)\.",  # a build's wrapper
    (
        r"(?=Could not fetch specs from|Network error while fetching|Could not reach host"
        r"|Gem::RemoteFetcher|"
        r"Bundler::HTTPError|\s{0,4}Unable to download data from|Fetching .{0,100}(?:failed|error))"
    ),
    r"\s{0,12}(?:curl error \d{1,3} while downloading |The ['\"].{1,300}['\"] (?:file|URL) could not be )",
    r".{0,300}error NU13\d\d: ",
    r"(?=(?:E|W): Failed to fetch |Err:\d{1,4} |\s{1,4}Could not (?:connect|resolve))",  # apt
    r"(?:ERROR|WARNING|fetch): (?:fetching |Ignoring |opening )?https?://",  # apk
    DOCKER
    + r".{0,300}?(?=\b(?:Get|Head|Put|Post) |failed to do request|dial tcp|read tcp|net/http|blob|manifest"
    r"|to (?:solve|resolve|pull|push|fetch|copy|authorize)|(?:pull|download|copy)ing "
    r"|unexpected status"
    r"|received unexpected HTTP|download failed|pinging container registry|initializing source)",
    r"(?=Unable to connect to the server|The connection to the server \S{1,200} was refused)",  # kubectl
    BOX
    + r"(?:Error: .{0,100}(?:Failed to (?:query|install|download|get|instantiate|fetch)|Kubernetes cluster"
    r" unreachable|could not (?:download|query|connect to registry)|looks like )"
    r"|[Cc]ould not (?:retrieve|query|"
    r"download|connect to (?:registry|the)))",  # Terraform, Helm
    r"gyp ERR! (?:stack )?",
    r"(?:requests|urllib3?|httpx|httpcore|aiohttp|http\.client)\.[\w.]{1,80}: ",
    r"(?:Uncaught )?(?:Axios|Fetch|HTTP)Error: |\s{0,8}\[cause\]: \w{0,40}Error: |paramiko\.[\w.]{1,80}: ",
    r"(?:\w{0,40}Error: )?request to https?://\S{1,300} failed, reason: ",
    r"(?:ssh|scp|sftp|rsync|lftp)(?::|\S{0,12} error: ) ?",
    (
        r"(?:[\w.]{1,80}\.)?(?:EndpointConnectionError|ConnectTimeoutError|ReadTimeoutError"
        r"|ProxyConnectionError): "
    ),
    r"(?:WARNING: )?Could not fetch URL |CondaHTTPError: |ERROR: (?:gcloud crashed|\(gcloud\.\S{1,80}\)) ",
    BOX + r"Error: .{0,200}?\b(?:Get|Post|Put|Head) \"https?:",
    r"\[error\] (?:download error|.{0,60}ResolveException|sbt\.librarymanagement)",
    r"(?:Failed to download|Error downloading|Download failed|Failed to fetch)\b",
)

UNNAMED = Words(
    said=r"(?:[Cc]ould not resolve (?:host|proxy|hostname)|[Tt]emporary failure (?:in "
    r"name resolution|resolving)"
    r"|no such host|[Nn]ame or service not known|[Nn]odename nor servname|getaddrinfo \w|EAI_AGAIN"
    r"|ENOTFOUND\b"
    r"|[Uu]nknown ?[Hh]ost|failed to lookup address|Name does not resolve|Could not reach host"
    r"|server misbehaving|dns error"
    r"|unable to resolve host|bad address '|DNS: |Could not resolve '|Failed to resolve '"
    r"|[Nn]o address associated)",
    npm=r"(?:EAI_AGAIN|ENOTFOUND|EAI_FAIL|EAI_NODATA)",
    curl="(?:5|6)",
    squeezed=(
        r"nosuchhost|Nameorservicenotknown|getaddrinfo|[Cc]ouldnotresolve|nameresolution"
        r"|Nodenameorservname"
    ),
    whole=(
        r"ssh: Could not resolve hostname ",
        r"wget: (?:unable to resolve host|bad address )",
        r"(?:ERROR|WARNING): .{0,200}: DNS",  # apk
    ),
)
TRUST = Words(
    said=r"(?:certificate (?:verify failed|problem|subject name|has expired|is not (?:yet valid"
    r"|trusted)|signed by"
    r" unknown)|certificate verification failed|self[- ]signed certificate|CERT_HAS_EXPIRED|SELF_SIGNED_CERT"
    r"|UNABLE_TO_(?:VERIFY_LEAF|GET_ISSUER)\w{0,40}|ERR_TLS_CERT_ALTNAME\w{0,20}|CERTIFICATE_VERIFY_FAILED"
    r"|x509: |PKIX path|unable to (?:get|verify) (?:local )?(?:the )?(?:issuer|first) certificate"
    r"|[Tt]he remote certificate (?:is|was) |invalid peer certificate|Certificate verification"
    r"|[Ss]erver certificate"
    r"|UntrustedRoot|SSL certificate)",
    npm=r"(?:CERT_\w{1,40}|SELF_SIGNED\w{1,40}|UNABLE_TO_\w{1,60}|ERR_TLS_\w{1,40}|DEPTH_ZERO\w{1,40})",
    curl="(?:51|60|77)",
    squeezed=(
        r"certificateverifyfailed|x509:|certificatehasexpired|SSLcertificateproblem"
        r"|certificateverification"
    ),
    whole=(
        r"(?:ERROR|WARNING): .{0,200}: (?:TLS: server certificate not trusted|TLS: )",  # apk
        r"ERROR: cannot verify \S{1,200}'s certificate",  # wget
        r"(?:fatal error: )?SSL validation failed for ",  # aws
        r"(?:WARNING: )?Could not fetch URL .{0,300}: There was a problem confirming the ssl",
    ),
)
LIMITED = Words(
    said=r"(?:\b429 |: 429\b|error: 429|HTTP 429|\(429|code E?429\b|code 429\b|status: 429"
    r"|[Tt]oo ?[Mm]any ?[Rr]equests"
    r"|rate limit(?:ed| exceeded)?\b|pull rate limit)",
    npm="E429",
    squeezed=r"429TooManyRequests|TooManyRequests429|HTTP/?[\d.]{0,4}429",
    whole=(
        r"(?:.{0,200}: )?toomanyrequests: ",
        PNPM + r"FETCH_429\b",
        r"\s{0,8}429 Client Error: ",
        r"requests\.exceptions\.HTTPError: 429 |urllib\.error\.HTTPError: HTTP Error 429\b",
        r"httpx\.HTTPStatusError: Client error '429 |aiohttp\.\S{1,60}: 429, ",
        r"(?:Axios|Http)Error: Request failed with status code 429",
        TREE + r".{0,300}failed to get successful HTTP response from .{0,300}got 429\b",
        r"HTTP request sent, awaiting response\.\.\. 429 ",
        r"remote: (?:.{0,60}[Rr]ate limit|Too many requests)",
        r"curl: \(22\) The requested URL returned error: 429\b",
        r".{0,200}You have reached your (?:unauthenticated )?pull rate limit",
    ),
)
SERVER = Words(
    said=r"(?:(?:returned error|HTTP|HTTP/\S{1,4}|status(?: code)?:?|got|code|returned a|Code:|E"
    r"|FETCH_|:| -|fetch|data)"
    r" {0,2}\(?(?:50[0234]|52\d)\b|\b50[0234] {1,3}(?:Internal Server|Bad Gateway|Service Unavailable"
    r"|Service Temp|Gateway"
    r"|Server Error|Backend)|HTTP status server error)",
    npm=r"E5\d\d",
    squeezed=(
        r"HTTP/?[\d.]{0,4}\)?5\d\d|5\d\d(?:Internal|Bad|Service|Gateway)|(?:Error|Gateway"
        r"|Unavailable|Timeout)5\d\d\("
    ),
    whole=(
        PNPM + r"FETCH_5\d\d\b",
        r"\s{0,8}5\d\d Server Error: ",
        r"requests\.exceptions\.HTTPError: 5\d\d |urllib\.error\.HTTPError: HTTP Error 5\d\d\b",
        r"httpx\.HTTPStatusError: Server error '5|aiohttp\.\S{1,60}: 5\d\d, ",
        r"(?:Axios|Http)Error: Request failed with status code 5\d\d",
        TREE + r".{0,300}failed to get successful HTTP response from .{0,300}got 5\d\d\b",
        r"curl: \(22\) The requested URL returned error: 5\d\d\b",
        r"remote: (?:Internal Server Error|.{0,60}50[234]\b)",
        r"ERROR 5\d\d: ",  # wget
        TREE + r"Could not (?:GET|HEAD|PUT) '.{0,300}'\. Received status code 5\d\d ",
        r"ERROR: (?:HTTP error 5\d\d|5\d\d Server Error)",
    ),
)
UNREACHED = Words(
    said=r"(?:[Ff]ailed to connect|[Cc]ould ?n[o']t connect|[Cc]onnection (?:timed out|refused"
    r"|could not be established)"
    r"|[Oo]peration timed out|[Tt]imeout was reached|[Nn]etwork is (?:unreachable|down)|[Nn]o route to host"
    r"|i/o timeout|TLS handshake timeout|ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET_TIMEOUT"
    r"|[Cc]onnect(?:ion)? timeout|[Rr]ead timed ?out|network timeout|[Cc]onnect timed out"
    r"|Max retries exceeded"
    r"|connect: connection refused|Failed to establish a new connection|ESOCKETTIMEDOUT|was refused"
    r"|Could not connect to|request (?:timed out|canceled while waiting)|error sending request"
    r"|tcp connect error"
    r"|ConnectionRefused|Client\.Timeout|UND_ERR_CONNECT_TIMEOUT|Failed to open TCP connection"
    r"|temporary error"
    r"|All attempts to connect to \S|Cannot connect to host|Unable to connect to port"
    r"|context deadline exceeded|Unable to connect)",
    npm=r"(?:ECONNREFUSED|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|FETCH_ERROR|ESOCKETTIMEDOUT"
    r"|UND_ERR_CONNECT_TIMEOUT|EADDRNOTAVAIL|EIDLETIMEOUT)",
    curl="(?:7|28|97)",
    squeezed=r"[Cc]onnectionrefused|[Tt]imedout|i/otimeout|[Cc]onnectiontimeout|ECONNREFUSED"
    r"|[Ff]ailedtoconnect|Net::Open"
    r"|[Nn]etworkisunreachable|[Nn]oroutetohost|contextdeadlineexceeded",
    whole=(
        r"ssh: connect to host \S{1,200} port \d{1,5}: ",
        r"(?:wget: )?can't connect to remote host",
        r"Connecting to .{1,200}\.\.\. failed: ",  # wget
        r"fatal: unable to connect to ",
        r"Could not connect to the endpoint URL: ",
        r"(?:fatal error: )?(?:Connect|Read) timeout on endpoint URL: ",
        r"ERROR: Could not install packages due to an OSError: HTTPS?ConnectionPool",
        NPM + r"(?:Response timeout|network aborted)",
        r"Failed to fetch (?:font )?`.{1,80}`",
        (
            r"(?:ERROR|WARNING): .{0,200}https?://.{0,200}: (?:network error|could not connect"
            r"|temporary error|transient)"
        ),
        r"CondaHTTPError: HTTP 000 ",
        r"wget: download timed out",
        r"E: Failed to fetch .{0,300} Connection failed",
        r"Timeout, server \S{1,200} not responding",
        r"rsync error: (?:timeout in data|error in socket IO)",
    ),
)
CUT = Words(
    said=r"(?:[Cc]onnection (?:was )?(?:reset|closed|aborted|broken)|ECONNRESET|EPIPE"
    r"|socket hang up|[Rr]ecv failure"
    r"|SSL_(?:connect|read|ERROR_SYSCALL)|GnuTLS recv error|Empty reply|unexpected EOF|: EOF$"
    r"|curl (?:18|52|55|56|92)"
    r"|transfer closed|handshake (?:failure|error)|terminated the handshake|Premature (?:close|EOF)"
    r"|unexpected end of file"
    r"|IncompleteRead|[Rr]emote end closed|http2: server sent GOAWAY|stream error|Connection broken"
    r"|[Bb]roken pipe|Send failure|Failed sending data"
    r"|prematurely|early EOF|Software caused connection abort|unexpected disconnect"
    r"|wrong version number|SSL error|first record does not look like a TLS|Incomplete download"
    r"|Server disconnected|[Oo]peration too slow|Proxy CONNECT aborted|not closed cleanly"
    r"|gnutls_handshake|Connection aborted|RemoteDisconnected|ERR_STREAM_PREMATURE_CLOSE"
    r"|ERR_SSL_\w{1,40}|EPROTO)",
    npm=r"(?:ECONNRESET|ECONNABORTED|ERR_STREAM_PREMATURE_CLOSE|EPROTO|ERR_SSL_\w{1,60}|EPIPE)",
    curl="(?:18|35|52|55|56|92)",
    squeezed=(
        r"HTTPrequestfailed|[Cc]onnectionreset|connectionresets|SSL:|unexpectedEOF|endoffile"
        r"|SSL_connect|handshake"
    ),
    whole=(
        GIT + r"fatal: the remote end hung up unexpectedly",
        GIT + r"fatal: early EOF",
        GIT + r"(?:fatal: )?fetch-pack: unexpected disconnect",
        GIT + r"error: \d{1,12} bytes of body are still expected",
        r"Unable to establish SSL connection",
        r"(?:E: )?.{0,200}Clearsigned file isn't valid, got 'NOSPLIT'",
        r"packet_write_wait: Connection to ",
        r"rsync: (?:\[\w{1,20}\] )?connection unexpectedly closed",
        r"lost connection$|Connection to \S{1,100} closed by remote host",
        r"Connection was closed before we received a valid response from endpoint",
        r"(?:kex_exchange_identification|ssh_exchange_identification): (?:Connection|read)",
        r"(?:client_loop: send disconnect: |Connection (?:closed|reset) by \S{1,100} port )",
    ),
)


# Tools that break a message into lines of their own width: Composer, Bundler, Terraform.
BROKEN = (
    r"\s{1,12}The ['\"]http|Could not fetch specs from |"
    + BOX
    + r"Error: Failed to (?:query|install|download|get|init)"
    r"|Could not download gem from |" + BOX + r"Could not (?:retrieve|query|download|connect)"
)


def alone(words: Words) -> Sequence[str]:
    """Return the patterns of lines that say it all by themselves: a tool's own code for it."""
    npm = [NPM + r"code " + words.npm + r"\b"] if words.npm else []
    curl = [r"curl: \(" + words.curl + r"\) "] if words.curl else []
    return [*npm, *curl, *words.whole]


_BEGIN = re.compile("|".join(f"(?:{begin})" for begin in _BEGINS))


@lru_cache(maxsize=4)
def begun(lines: tuple[str, ...]) -> Sequence[tuple[int, int]]:
    """Return the lines that begin as a tool's last word, and where what it says begins in them.

    All kinds of faults ask for the same lines one after the other.
    """
    matches = ((place, _BEGIN.match(text)) for place, text in enumerate(lines))
    return tuple((place, match.end()) for place, match in matches if match)
