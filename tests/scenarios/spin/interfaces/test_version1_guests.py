"""The interfaces of Spin's first version through the real binding.

No SDK of today imports them. So a component made of text hands each call on to the host's function:
what the functions take and give goes through the types that old guests have.
"""

from __future__ import annotations

import pytest
from tests.components.guests import passing_on

from wasm_lab.components import Component, Err
from wasm_lab.scenarios.spin.host.guest import Guest
from wasm_lab.scenarios.spin.interfaces import (
    key_value,
    llm,
    mysql,
    outgoing_http,
    postgres,
    redis,
    sqlite,
    variables,
)

KEY_VALUE = (
    """
    type store = u32;
    variant error { store-table-full, no-such-store, access-denied, invalid-store, no-such-key, io(string) }
    """,
    """
    open: func(name: string) -> result<store, error>;
    get: func(store: store, key: string) -> result<list<u8>, error>;
    set: func(store: store, key: string, value: list<u8>) -> result<_, error>;
    delete: func(store: store, key: string) -> result<_, error>;
    exists: func(store: store, key: string) -> result<bool, error>;
    get-keys: func(store: store) -> result<list<string>, error>;
    close: func(store: store);
    """,
)
REDIS = (
    """
    enum error { success, error }
    type payload = list<u8>;
    variant redis-parameter { int64(s64), binary(payload) }
    variant redis-result { nil, status(string), int64(s64), binary(payload) }
    """,
    """
    publish: func(address: string, channel: string, payload: payload) -> result<_, error>;
    get: func(address: string, key: string) -> result<payload, error>;
    set: func(address: string, key: string, value: payload) -> result<_, error>;
    incr: func(address: string, key: string) -> result<s64, error>;
    del: func(address: string, keys: list<string>) -> result<s64, error>;
    smembers: func(address: string, key: string) -> result<list<string>, error>;
    execute: func(address: string, command: string, arguments: list<redis-parameter>)
        -> result<list<redis-result>, error>;
    """,
)
SQLITE = (
    """
    type connection = u32;
    variant error { no-such-database, access-denied, invalid-connection, database-full, io(string) }
    variant value { integer(s64), real(f64), text(string), blob(list<u8>), null }
    record row-result { values: list<value> }
    record query-result { columns: list<string>, rows: list<row-result> }
    """,
    """
    open: func(database: string) -> result<connection, error>;
    execute: func(conn: connection, statement: string, parameters: list<value>) -> result<query-result, error>;
    close: func(conn: connection);
    """,
)
_RDBMS = """
    enum db-data-type { boolean, int8, int16, int32, int64, uint8, uint16, uint32, uint64, floating32, floating64,
        str, binary, other }
    variant db-value { boolean(bool), int8(s8), int16(s16), int32(s32), int64(s64), uint8(u8), uint16(u16),
        uint32(u32), uint64(u64), floating32(f32), floating64(f64), str(string), binary(list<u8>), db-null, unsupported }
    variant parameter-value { boolean(bool), int8(s8), int16(s16), int32(s32), int64(s64), uint8(u8), uint16(u16),
        uint32(u32), uint64(u64), floating32(f32), floating64(f64), str(string), binary(list<u8>), db-null }
    record column { name: string, data-type: db-data-type }
    type row = list<db-value>;
    record row-set { columns: list<column>, rows: list<row> }
    variant pg-error { success, connection-failed(string), bad-parameter(string), query-failed(string),
        value-conversion-failed(string), other-error(string) }
"""
POSTGRES = (
    _RDBMS,
    """
    query: func(address: string, statement: string, params: list<parameter-value>) -> result<row-set, pg-error>;
    execute: func(address: string, statement: string, params: list<parameter-value>) -> result<u64, pg-error>;
    """,
)
MYSQL = (
    _RDBMS,
    "query: func(address: string, statement: string, params: list<parameter-value>) -> result<row-set, pg-error>;",
)
CONFIG = (
    "variant error { provider(string), invalid-key(string), invalid-schema(string), other(string) }",
    "get-config: func(key: string) -> result<string, error>;",
)
HTTP = (
    """
    type body = list<u8>;
    type headers = list<tuple<string, string>>;
    enum method { get, post, put, delete, patch, head, options }
    record request { method: method, uri: string, headers: headers, params: headers, body: option<body> }
    record response { status: u16, headers: option<headers>, body: option<body> }
    enum http-error { success, destination-not-allowed, invalid-url, request-error, runtime-error, too-many-requests }
    """,
    "send-request: func(req: request) -> result<response, http-error>;",
)
LLM = (
    """
    record inferencing-params { max-tokens: u32, repeat-penalty: f32, repeat-penalty-last-n-token-count: u32,
        temperature: f32, top-k: u32, top-p: f32 }
    variant error { model-not-supported, runtime-error(string), invalid-input(string) }
    record inferencing-usage { prompt-token-count: u32, generated-token-count: u32 }
    record inferencing-result { text: string, usage: inferencing-usage }
    """,
    """
    infer: func(model: string, prompt: string, params: option<inferencing-params>)
        -> result<inferencing-result, error>;
    """,
)


@pytest.fixture
def through():
    """Call an interface through a component: ``through(KEY_VALUE, implementation)``."""
    opened = []

    def make(texts, implementation):
        guest = Guest(60)
        guest.start()
        component = Component.load(passing_on(*texts))
        instance = component.link({"t:t/host": implementation}).instantiate(data=guest)
        opened.append((instance, guest))
        return instance["t:t/guest"]

    yield make
    for instance, guest in opened:
        guest.end()
        instance.close()


def case(caught) -> str:
    return type(caught.value.value).__name__


def test_key_value(through, make_context):
    made = key_value.implement(make_context(key_value_stores=("default", "nowhere")))[
        "fermyon:spin/key-value"
    ]
    guest = through(KEY_VALUE, made)
    store = guest.open("default")
    guest.set(store, "a", b"\x00\xff")
    assert guest.get(store, "a") == b"\x00\xff"
    assert guest.exists(store, "a") is True
    assert guest.get_keys(store) == ["a"]
    for call, says in (
        (lambda: guest.get(store, "none"), "NoSuchKey"),
        (lambda: guest.get(store + 1, "a"), "InvalidStore"),
        (lambda: guest.open("nowhere"), "NoSuchStore"),
        (lambda: guest.open("other"), "AccessDenied"),
        (lambda: guest.set(store, "k" * 100_000, b""), "Io"),
    ):
        with pytest.raises(Err) as caught:
            call()
        assert case(caught) == says
    guest.close(store)


@pytest.mark.slow
def test_redis(through, make_context, redis_server):
    url = redis_server.url
    made = redis.implement(make_context(allowed=(f"redis://{redis_server.address}",)))["fermyon:spin/redis"]
    guest = through(REDIS, made)
    guest.set(url, "old", b"x")
    assert guest.get(url, "old") == b"x"
    assert guest.incr(url, "old n") == 1
    assert guest.smembers(url, "old none") == []
    parameter = guest.RedisParameter
    told = guest.execute(url, "SET", [parameter.Binary(b"old k"), parameter.Int64(5)])
    assert told == [guest.RedisResult.Status("OK")]
    told = guest.execute(url, "MGET", [parameter.Binary(b"old k"), parameter.Binary(b"old none")])
    assert told == [guest.RedisResult.Binary(b"5"), guest.RedisResult.Nil()]
    assert guest.del_(url, ["old", "old n", "old k"]) == 3
    guest.publish(url, "c", b"")
    with pytest.raises(Err) as caught:
        guest.get("redis://elsewhere", "a")
    assert caught.value.value is guest.Error.ERROR


def test_sqlite(through, make_context):
    made = sqlite.implement(make_context(sqlite_databases=("default",)))["fermyon:spin/sqlite"]
    guest = through(SQLITE, made)
    value = guest.Value
    connection = guest.open("default")
    values = [value.Integer(-1), value.Real(0.5), value.Text("ä"), value.Blob(b"\x00"), value.Null()]
    result = guest.execute(connection, "SELECT ? AS a, ?, ?, ?, ?", values)
    assert result.columns[0] == "a"
    assert result.rows[0].values == values
    with pytest.raises(Err) as caught:
        guest.execute(connection + 1, "SELECT 1", [])
    assert case(caught) == "InvalidConnection"
    guest.close(connection)


@pytest.mark.slow
def test_postgres(through, make_context, postgres_server):
    url = postgres_server.url
    made = postgres.implement(make_context(allowed=(f"postgres://{postgres_server.address}",)))
    guest = through(POSTGRES, made["fermyon:spin/postgres"])
    parameter = guest.ParameterValue
    found = guest.query(
        url,
        "SELECT $1::int4 AS a, $2::text, $3::bytea, NULL::int8, now()",
        [parameter.Int32(7), parameter.Str("ä"), parameter.Binary(b"\x00")],
    )
    kinds = guest.DbDataType
    assert [column.data_type for column in found.columns] == [
        kinds.INT32,
        kinds.STR,
        kinds.BINARY,
        kinds.INT64,
        kinds.OTHER,
    ]
    value = guest.DbValue
    assert found.rows == [
        [value.Int32(7), value.Str("ä"), value.Binary(b"\x00"), value.DbNull(), value.Unsupported()]
    ]
    assert guest.execute(url, "CREATE TABLE old (n int)", []) == 0
    assert guest.execute(url, "INSERT INTO old VALUES (1), (2)", []) == 2
    for statement, parameters, says in (
        ("SELEC", [], "QueryFailed"),
        ("SELECT $1::int4", [parameter.Uint8(1)], "BadParameter"),
        ("SELECT 'NaN'::numeric", [], "ValueConversionFailed"),
    ):
        with pytest.raises(Err) as caught:
            guest.query(url, statement, parameters)
        assert case(caught) == says
    with pytest.raises(Err) as caught:
        guest.query("postgres://elsewhere", "SELECT 1", [])
    assert case(caught) == "ConnectionFailed"


def test_config_and_refusals(through, make_context):
    context = make_context(variables={"colour": "blue"}, ai_models=("small",))
    guest = through(CONFIG, variables.implement(context)["fermyon:spin/config"])
    assert guest.get_config("colour") == "blue"
    for name, says in (("none", "Provider"), ("No Name", "InvalidKey")):
        with pytest.raises(Err) as caught:
            guest.get_config(name)
        assert case(caught) == says
    with pytest.raises(Err) as caught:
        through(MYSQL, mysql.implement(context)["fermyon:spin/mysql"]).query("mysql://x", "SELECT 1", [])
    assert case(caught) == "ConnectionFailed"
    model = through(LLM, llm.implement(context)["fermyon:spin/llm"])
    with pytest.raises(Err) as caught:
        model.infer("small", "x", model.InferencingParams(1, 1.0, 1, 1.0, 1, 1.0))
    assert case(caught) == "RuntimeError"


def test_http(through, make_context):
    import http.server
    import threading

    class Upstream(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(201)
            self.send_header("x-mine", self.headers["x-mine"])
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    upstream = http.server.HTTPServer(("127.0.0.1", 0), Upstream)
    thread = threading.Thread(target=upstream.serve_forever, args=(0.05,))
    thread.start()
    try:
        base = f"http://127.0.0.1:{upstream.server_port}"
        guest = through(HTTP, outgoing_http.implement(make_context(allowed=(base,)))["fermyon:spin/http"])
        request = {
            "method": "post",
            "uri": f"{base}/x",
            "headers": [("x-mine", "1")],
            "params": [],
            "body": b"sent",
        }
        answer = guest.send_request(request)
        assert (answer.status, answer.body) == (201, b"sent")
        assert ("x-mine", "1") in answer.headers
        with pytest.raises(Err) as caught:
            guest.send_request({**request, "uri": "http://elsewhere.invalid"})
        assert caught.value.value is guest.HttpError.DESTINATION_NOT_ALLOWED
    finally:
        upstream.shutdown()
        upstream.server_close()
        thread.join()
