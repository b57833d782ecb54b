"""Language models: refused without a server, asked where there is one."""

from __future__ import annotations

import http.server
import json
import logging
import threading
from types import SimpleNamespace

import pytest

from wasm_lab.components import Err
from wasm_lab.scenarios.spin.interfaces import llm
from wasm_lab.scenarios.spin.runtime_config import ChatServer, RuntimeConfig

NAME = "fermyon:spin/llm@2.0.0"


class Double(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.seen.append((self.path, self.headers.get("authorization"), told))  # type: ignore[attr-defined]
        if told["model"] == "broken":
            status, answer = 500, b"{}"
        elif told["model"] == "strange":
            status, answer = 200, b'{"choices": []}'
        elif self.path == "/v1/embeddings":
            status = 200
            answer = json.dumps(
                {
                    "data": [{"embedding": [len(text), 0.5]} for text in told["input"]],
                    "usage": {"prompt_tokens": 3},
                }
            ).encode()
        else:
            status = 200
            text = told["messages"][0]["content"].upper()
            usage = {"prompt_tokens": 2, "completion_tokens": 5}
            answer = json.dumps({"choices": [{"message": {"content": text}}], "usage": usage}).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server():
    made = http.server.HTTPServer(("127.0.0.1", 0), Double)
    made.seen = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=made.serve_forever, args=(0.05,))
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def model(make_context, server):
    runtime = RuntimeConfig(llm=ChatServer(f"http://127.0.0.1:{server.server_port}", "geheim"))
    return llm.implement(make_context(ai_models=("small", "broken", "strange"), runtime=runtime))[NAME]


def test_an_answer(model, server):
    params = SimpleNamespace(max_tokens=10, temperature=0.5, top_p=0.75)
    assert model.infer("small", "hello", params) == {
        "text": "HELLO",
        "usage": {"prompt_token_count": 2, "generated_token_count": 5},
    }
    path, authorization, told = server.seen[0]
    assert (path, authorization, told["max_tokens"]) == ("/v1/chat/completions", "Bearer geheim", 10)
    assert model.infer("small", "x", None)["text"] == "X"


def test_embeddings(model):
    assert model.generate_embeddings("small", ["a", "bcd"]) == {
        "embeddings": [[1.0, 0.5], [3.0, 0.5]],
        "usage": {"prompt_token_count": 3},
    }


def test_a_server_that_fails(model):
    for name, says in (("broken", "answered 500"), ("strange", "no completion")):
        with pytest.raises(Err) as caught:
            model.infer(name, "x", None)
        assert says in caught.value.value.value
        assert "geheim" not in caught.value.value.value


def test_a_model_must_be_listed(model, server, caplog):
    with caplog.at_level(logging.WARNING), pytest.raises(Err) as caught:
        model.infer("large", "x", None)
    assert type(caught.value.value).__name__ == "ModelNotSupported"
    assert "Add it to ai_models" in caplog.text
    assert not server.seen


def test_without_a_server_it_is_refused_with_the_way_to_have_one(make_context, caplog):
    model = llm.implement(make_context(ai_models=("small",)))[NAME]
    with caplog.at_level(logging.WARNING), pytest.raises(Err) as caught:
        model.infer("small", "x", None)
    assert "No language model is configured" in caught.value.value.value
    assert "[llm_compute]" in caplog.text
