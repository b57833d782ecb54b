"""What every stack must answer: the API as cases, and the comparison that comes before any timing."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any

from wasm_lab.errors import AnswersDiffer

#: Seconds for one answer.
TIMEOUT_S = 10.0

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Case:
    """One request and what it must be answered with."""

    method: str
    path: str
    body: bytes = b""
    status: int = 200
    answer: Any = None  #: as Python has it

    @property
    def request(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Answered:
    """What a server answered."""

    status: int
    content_type: str
    body: bytes


def _sum(numbers: list[int]) -> Case:
    answer = {"count": len(numbers), "sum": sum(numbers), "largest": max(numbers, default=None)}
    return Case("POST", "/sum", json.dumps({"numbers": numbers}).encode(), answer=answer)


def _hello(name: str, path: str) -> Case:
    return Case("GET", f"/hello/{path}", answer={"greeting": f"Hello, {name}!", "letters": len(name)})


_NO_NUMBERS = {"error": "numbers must be a list of integers"}
_NOT_FOUND = {"error": "not found"}

#: The two that the load consists of, in turns.
HELLO = _hello("Ada", "Ada")
SUM = _sum([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3])

CASES = (
    HELLO,
    SUM,
    _hello("Ünal 𝛌", "%C3%9Cnal%20%F0%9D%9B%8C"),
    _sum([]),
    _sum([-(2**40), 2**40, -7]),
    _sum(list(range(5000))),
    Case("POST", "/sum", b'{"numbers": [1, "two"]}', 400, _NO_NUMBERS),
    Case("POST", "/sum", b'{"numbers": [1, 2.5]}', 400, _NO_NUMBERS),
    Case("POST", "/sum", b"{}", 400, _NO_NUMBERS),
    Case("POST", "/sum", b'{"numbers": [1, 2', 400, _NO_NUMBERS),
    Case("GET", "/", b"", 404, _NOT_FOUND),
    Case("GET", "/sum", b"", 404, _NOT_FOUND),
    Case("GET", "/hello/Ada/Lovelace", b"", 404, _NOT_FOUND),
    Case("POST", "/hello/Ada", b"{}", 404, _NOT_FOUND),
)


def normalised(body: bytes) -> bytes:
    """JSON with sorted keys and nothing between the tokens; what is no JSON stays as it is.

    Example:
        >>> normalised(b'{ "b": 1, "a": [2.0] }')
        b'{"a":[2.0],"b":1}'
    """
    try:
        value = json.loads(body)
    except ValueError:
        return body
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def media_type(content_type: str) -> str:
    """A content type without the charset that JSON has anyway.

    Example:
        >>> media_type("application/json; charset=utf-8")
        'application/json'
    """
    kind, _, parameter = content_type.partition(";")
    plain = parameter.strip().lower().replace('"', "") in ("", "charset=utf-8")
    return kind.strip().lower() if plain else content_type


def ask(port: int, case: Case) -> Answered:
    """One request to a server on the loopback address.

    Raises:
        OSError, http.client.HTTPException: there is no whole answer.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        headers = {"Content-Type": JSON} if case.body else {}
        connection.request(case.method, case.path, case.body or None, headers)
        response = connection.getresponse()
        return Answered(response.status, response.getheader("Content-Type", ""), response.read())
    finally:
        connection.close()


def check(stack: str, port: int, cases: tuple[Case, ...] = CASES) -> None:
    """Compare a server's answers with what the API says: status, content type, and the body's bytes
    after JSON was normalised.

    Raises:
        AnswersDiffer: one is another, or did not come; the message shows both.
    """
    for case in cases:
        try:
            got = ask(port, case)
        except (OSError, http.client.HTTPException) as error:
            raise AnswersDiffer(f"{stack} gave no answer to {case.request}: {error!r}.") from None
        wanted = (case.status, JSON, normalised(json.dumps(case.answer).encode()))
        found = (got.status, media_type(got.content_type), normalised(got.body))
        if found != wanted:
            raise AnswersDiffer(
                f"{stack} answers {case.request} with {_shown(*found)}, and must answer {_shown(*wanted)}.",
                hint="Nothing was timed: stacks that do different work cannot be compared.",
            )


def _shown(status: int, kind: str, body: bytes) -> str:
    text = body.decode(errors="replace")
    return f"{status}, {kind or 'no content type'}, {text if len(text) <= 200 else text[:200] + ' …'}"
