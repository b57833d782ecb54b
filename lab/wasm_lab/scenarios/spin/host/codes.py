"""The variants of ``wasi:http/types``: methods, schemes and error codes."""

from __future__ import annotations

from typing import Any


class Case:
    """A case without payload."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}()"


class CarryingCase(Case):
    """A case with one."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}({self.value!r})"


def variant(name: str, plain: str = "", carrying: str = "") -> Any:
    """A variant as a namespace with one class for each case; plain classes, for they are many and made at start.

    Args:
        plain: names of the cases without payload, with spaces between.
        carrying: names of those with one, their ``value``.
    """
    bases = [(case, Case) for case in plain.split()] + [(case, CarryingCase) for case in carrying.split()]
    cases = {
        case: type(case, (base,), {"__slots__": (), "__qualname__": f"{name}.{case}", "__module__": __name__})
        for case, base in bases
    }
    return type(name, (), cases)


Method = variant("Method", "Get Head Post Put Delete Connect Options Trace Patch", "Other")
Scheme = variant("Scheme", "Http Https", "Other")
ErrorCode = variant(
    "ErrorCode",
    "DnsTimeout DestinationNotFound DestinationUnavailable DestinationIpProhibited DestinationIpUnroutable "
    "ConnectionRefused ConnectionTerminated ConnectionTimeout ConnectionReadTimeout ConnectionWriteTimeout "
    "ConnectionLimitReached TlsProtocolError TlsCertificateError HttpRequestDenied "
    "HttpRequestLengthRequired HttpRequestMethodInvalid HttpRequestUriInvalid HttpRequestUriTooLong "
    "HttpResponseIncomplete HttpResponseTimeout HttpUpgradeFailed HttpProtocolError LoopDetected "
    "ConfigurationError",
    "DnsError TlsAlertReceived HttpRequestBodySize HttpRequestHeaderSectionSize HttpRequestHeaderSize "
    "HttpRequestTrailerSectionSize HttpRequestTrailerSize HttpResponseHeaderSectionSize "
    "HttpResponseHeaderSize HttpResponseBodySize HttpResponseTrailerSectionSize HttpResponseTrailerSize "
    "HttpResponseTransferCoding HttpResponseContentCoding InternalError",
)

#: The method for its name in a request line.
METHODS: dict[str, Any] = {
    name.upper(): getattr(Method, name)()
    for name in ("Get", "Head", "Post", "Put", "Delete", "Connect", "Options", "Trace", "Patch")
}

#: The scheme for its name in a URL.
SCHEMES: dict[str, Any] = {"http": Scheme.Http(), "https": Scheme.Https()}


def method_name(method: Any) -> str:
    """The name of a method as it stands in a request line."""
    case = type(method).__name__
    return str(method.value) if case == "Other" else case.upper()


def scheme_name(scheme: Any) -> str:
    """The name of a scheme as it stands in a URL."""
    case = type(scheme).__name__
    return str(scheme.value) if case == "Other" else case.lower()
