"""Language models (``fermyon:spin/llm``), through a server that answers as OpenAI's does.

The lab brings no model. Without a server in the runtime configuration a guest is told so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.components import Err
from wasm_lab.scenarios.spin.interfaces.limits import (
    CONNECT_S,
    RESULT_BYTES,
    VALUE_BYTES,
    about_to_wait,
    tell,
    time_left,
    too_long,
)
from wasm_lab.scenarios.spin.interfaces.variants import variant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wasm_lab.scenarios.spin.context import ComponentContext

#: Seconds that a model may think, within the request's own deadline.
THINK_S = 120.0

HOW = """Name a server in a runtime configuration, and the file with --runtime-config-file:
    [llm_compute]
    type = "remote_http"
    url = "http://127.0.0.1:8000"
    auth_token = "…"
    api_type = "open_ai"
"""

Error = variant("Error", "ModelNotSupported", "RuntimeError InvalidInput")


def implement(context: ComponentContext) -> Mapping[str, object]:
    """The imports that a component needs to ask a model."""
    model_server = _Server(context)

    class llm:  # noqa: N801 - an interface, whose names are the WIT's
        @staticmethod
        def infer(model: str, prompt: str, params: Any) -> dict[str, Any]:
            told: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": prompt}]}
            if params is not None:
                told |= {
                    "max_tokens": params.max_tokens,
                    "temperature": params.temperature,
                    "top_p": params.top_p,
                }
            answer = model_server.ask(model, "/chat/completions", told)
            try:
                usage = answer.get("usage") or {}
                return {
                    "text": str(answer["choices"][0]["message"]["content"]),
                    "usage": {
                        "prompt_token_count": int(usage.get("prompt_tokens", 0)),
                        "generated_token_count": int(usage.get("completion_tokens", 0)),
                    },
                }
            except (KeyError, IndexError, TypeError, ValueError, AttributeError):
                raise Err(Error.RuntimeError("the model's server gave no completion")) from None

        @staticmethod
        def generate_embeddings(model: str, text: list[str]) -> dict[str, Any]:
            answer = model_server.ask(model, "/embeddings", {"model": model, "input": text})
            try:
                usage = answer.get("usage") or {}
                return {
                    "embeddings": [[float(part) for part in one["embedding"]] for one in answer["data"]],
                    "usage": {"prompt_token_count": int(usage.get("prompt_tokens", 0))},
                }
            except (KeyError, TypeError, ValueError, AttributeError):
                raise Err(Error.RuntimeError("the model's server gave no embeddings")) from None

    return {"fermyon:spin/llm@2.0.0": llm, "fermyon:spin/llm": llm}


class _Server:
    """The server that the runtime configuration names, for one component."""

    def __init__(self, context: ComponentContext) -> None:
        self._context = context

    def ask(self, model: str, path: str, told: dict[str, Any]) -> Any:
        import httpx

        component = self._context.component
        if model not in component.ai_models:
            tell(
                f"Component `{component.id}` may not use the model {model[:80]!r}. Add it to ai_models under "
                f"[component.{component.id}]."
            )
            raise Err(Error.ModelNotSupported())
        server = self._context.runtime.llm
        if server is None:
            message = f"No language model is configured for component `{component.id}`."
            tell(f"{message} {HOW}")
            raise Err(Error.RuntimeError(message))
        why = too_long("the prompt", len(str(told)), VALUE_BYTES)
        if why:
            raise Err(Error.InvalidInput(why))
        client: httpx.Client = self._context.shared.get(
            "llm client", lambda: httpx.Client(trust_env=False, follow_redirects=False)
        )
        base = server.url if server.url.endswith("/v1") else f"{server.url}/v1"
        headers = {"authorization": f"Bearer {server.auth_token}"} if server.auth_token else {}
        about_to_wait()
        left = time_left(THINK_S)
        try:
            timeout = httpx.Timeout(left, connect=min(left, CONNECT_S))
            response = client.post(f"{base}{path}", json=told, headers=headers, timeout=timeout)
            if len(response.content) > RESULT_BYTES:
                raise Err(Error.RuntimeError("the model's server answered too much"))
            if response.status_code != 200:
                raise Err(Error.RuntimeError(f"the model's server answered {response.status_code}"))
            return response.json()
        except httpx.HTTPError as error:
            raise Err(Error.RuntimeError(f"the model's server: {error or type(error).__name__}")) from None
        except ValueError:
            raise Err(Error.RuntimeError("the model's server gave no JSON")) from None
