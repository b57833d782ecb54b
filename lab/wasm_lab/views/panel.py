"""The capability panel: switches that re-run a program as they are toggled.

In a notebook it is a widget (`panel_widget`, with its front end in ``panel.js``); where nobody can
press a switch it is a table, and the program has run once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.artifact import Artifact
from wasm_lab.capabilities import Capabilities
from wasm_lab.errors import UsageError
from wasm_lab.source import LANGUAGES, NATIVE, Kind
from wasm_lab.views.panel_form import Asked
from wasm_lab.views.panel_state import PanelState, Subject, initial
from wasm_lab.views.presence import somebody_watches

if TYPE_CHECKING:
    from wasm_lab.session import Session
    from wasm_lab.views.panel_runs import Outcome
    from wasm_lab.views.panel_widget import PanelWidget

_FILES = (".rs", ".wasm", ".wat", *(ending for name in NATIVE for ending in LANGUAGES[name]))


class Panel:
    """A panel for one artifact. Displaying it shows the switches, or a table where nobody watches.

    Example:
        >>> import wasm_lab
        >>> shown = wasm_lab.panel('fn main() { println!("hello"); }')
        >>> shown.current.stdout
        b'hello\\n'
        >>> shown.state.submit(shown.state.form | {"clock": "refused"})["summary"].split(",")[0]
        'Run 2: exit status 0'
    """

    def __init__(self, state: PanelState) -> None:
        self.state = state
        self._widget: PanelWidget | None = None

    @property
    def current(self) -> Outcome | None:
        """The last run; None when none could be made."""
        return self.state.current

    @property
    def previous(self) -> Outcome | None:
        """The run before it."""
        return self.state.previous

    @property
    def capabilities(self) -> Capabilities:
        """What the last run was granted."""
        return self.state.asked.capabilities

    @property
    def widget(self) -> PanelWidget:
        """The widget, made when it is first asked for."""
        if self._widget is None:
            from wasm_lab.views.panel_widget import PanelWidget

            self._widget = PanelWidget(self.state)
        return self._widget

    def __repr__(self) -> str:
        from wasm_lab.views.panel_static import static_text

        return static_text(self.state)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, Any]:
        from wasm_lab.views.panel_static import static_html, static_text

        bundle: dict[str, Any] = {
            "text/html": static_html(self.state),
            "text/plain": static_text(self.state),
        }
        if somebody_watches():
            # An export to HTML has no state for the widget, and then takes the table.
            view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
            bundle["application/vnd.jupyter.widget-view+json"] = view
        return bundle


def panel(
    x: Artifact | Path | str,
    capabilities: Capabilities | None = None,
    *,
    runtime: str = "wasmtime",
    audit: bool = True,
    session: Session | None = None,
) -> Panel:
    """A panel of switches for a program or a library, which has then run once.

    Args:
        x: an Artifact, a path to a .rs, .wasm or .wat file, the name of a cell, or Rust text.
        capabilities: what is granted at first; nothing but the defaults when it is None.
        runtime: where it runs at first.
        audit: whether host calls are listed at first.

    Raises:
        UsageError: there is no such file or cell, or these are tests.
        BuildError, HeaderError, ToolchainError, LoadError: why there is no artifact.
    """
    from wasm_lab.session import default_session

    session = session or default_session()
    subject = subject_of(session, x)
    asked = Asked(capabilities=capabilities or Capabilities(), runtime=runtime, audit=audit)
    state = PanelState(session, subject, initial(subject, asked))
    state.submit(state.form)
    return Panel(state)


def subject_of(session: Session, x: Artifact | Path | str) -> Subject:
    """What the panel is to run, from any of the forms that `panel` takes."""
    file = ""
    if isinstance(x, Artifact):
        artifact = x
    elif isinstance(x, Path):
        artifact, file = _from_file(session, x), str(x)
    elif x in session.cells:
        artifact = session.cells[x].artifact
    elif "\n" not in x and x.strip().endswith(_FILES):
        artifact, file = _from_file(session, Path(x.strip())), x.strip()
    elif x.strip().isidentifier():
        artifact = session.cell(x.strip()).artifact  # which says what cells there are
    else:
        from wasm_lab.cells import parse_cell

        artifact = session.compile(parse_cell(x))
    if artifact.source and artifact.source.kind is Kind.TESTS:
        raise UsageError(
            f"{artifact.label} is made of tests, which a panel does not run.", hint="Leave --test out."
        )
    return Subject(artifact=artifact, file=file, functions=_functions(artifact))


def _from_file(session: Session, file: Path) -> Artifact:
    from wasm_lab.files import artifact_of

    if file.suffix not in _FILES:
        raise UsageError(f"{file} is no file that runs here.", hint=f"A panel runs {', '.join(_FILES)}.")
    return artifact_of(session, file, {"profile": "release", "target": "wasm32-wasip1", "edition": None})


def _functions(artifact: Artifact) -> tuple[str, ...]:
    """The functions of a library as ``name(parameters)``; none for a program."""
    if artifact.source is None or artifact.source.kind is not Kind.FUNCTIONS:
        return ()
    from wasm_lab.build.crate import crate_for

    found = tuple(
        f"{each.name.removeprefix('r#')}({', '.join(f'{p.name}: {p.type}' for p in each.parameters)})"
        for each in crate_for(artifact.source).functions
    )
    if not found:
        raise UsageError(
            f"{artifact.label} has neither fn main nor a public function that Python can call.",
            hint="Put pub before a fn, or write fn main.",
        )
    return found
