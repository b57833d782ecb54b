"""Strict checks of manifests without a cluster: schemas of several versions, then what schemas cannot say."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import KubeManifestError, UsageError
from wasm_lab.scenarios.kubernetes.crds import Definitions
from wasm_lab.scenarios.kubernetes.documents import (
    BYTES_MAX,
    Document,
    Reading,
    decode,
    read_documents,
    read_text,
)
from wasm_lab.scenarios.kubernetes.files import manifests
from wasm_lab.scenarios.kubernetes.foreign import foreign, is_template, template
from wasm_lab.scenarios.kubernetes.kinds import UNCHECKED, since, unknown_kind
from wasm_lab.scenarios.kubernetes.kustomize import patch
from wasm_lab.scenarios.kubernetes.problems import Problem
from wasm_lab.scenarios.kubernetes.removed import removed
from wasm_lab.scenarios.kubernetes.rules import (
    access,
    choices,
    containers,
    names,
    resources,
    runtimes,
    selectors,
    together,
)
from wasm_lab.scenarios.kubernetes.schema_errors import explain
from wasm_lab.scenarios.kubernetes.schemas import schemas
from wasm_lab.scenarios.kubernetes.versions import said, wanted_versions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from typing import BinaryIO

    from wasm_lab.scenarios.kubernetes.problems import Severity

#: Rules for one object, and rules for all of them together.
OF_ONE = (
    names.names,
    selectors.own_pods,
    runtimes.of_crun,
    containers.containers,
    resources.resources,
    choices.choices,
    access.access,
    access.storage,
)
OF_ALL = (
    selectors.services,
    runtimes.classes,
    together.twice,
    together.target_ports,
    together.backends,
)


@dataclass(slots=True)
class Checked:
    """What was found in one file."""

    file: str
    objects: int = 0  #: of Kubernetes; a file for a program is none
    named: bool = True  #: whether a user named it, or it was found below a folder
    problems: list[Problem] = field(default_factory=list)

    @property
    def valid(self) -> bool:
        """Whether no error was found; warnings and notes do not count."""
        return not any(problem.severity == "error" for problem in self.problems)


def validate(source: str | Path, *, versions: Sequence[str] = (), file: str = "") -> list[Problem]:
    """Check the manifests of a text or a file.

    Args:
        source: the text, or the path of a file.
        versions: of Kubernetes, as `wanted_versions` takes them; by default the supported ones.
        file: the name for messages, where a text is given.

    Gives every problem in the order of its lines; none with the severity ``error`` means valid.

    Raises:
        UsageError: no such version.
        ToolchainError: the schemas are not installed.

    Example:
        >>> validate("apiVersion: v1\\nkind: Pod\\nmetadata: {name: a}\\nspec: {container: []}\\n")[0].hint
        'Did you mean `containers`?'
    """
    if isinstance(source, Path):
        return validate_files([source], versions=versions)[0].problems
    return validate_texts([(file, source)], versions=versions)[0].problems


def validate_given(
    words: Sequence[str],
    *,
    versions: Sequence[str] = (),
    given: Sequence[Path] = (),
    stdin: BinaryIO | None = None,
) -> list[Checked]:
    """Check files, folders, patterns and ``-``, all together.

    A file found below a folder that is no manifest at all (a chart's template, a workflow) is a note; one that was
    named is an error. What lies below ``templates`` and is a manifest as it stands is checked as any other.

    Raises:
        UsageError, ToolchainError: as `validate`; nothing fits a pattern.
    """
    texts: list[tuple[str, str | KubeManifestError]] = []
    found: set[str] = set()
    for word in dict.fromkeys(words):
        if word == "-":
            data = stdin.read(BYTES_MAX + 1) if stdin else b""
            if not data.strip():  # whatever should have written it has failed
                raise UsageError(
                    "The standard input is empty: there is nothing to check.",
                    hint="Look at the command before the bar, such as helm template CHART | wasm-lab kube validate -",
                )
            texts.append(("<stdin>", _decoded(data, "<stdin>")))
            continue
        for meant in manifests([word]):
            name = str(meant.path)
            if name not in {each for each, _ in texts}:
                texts.append((name, _read(meant.path)))
                found |= set() if meant.named else {name}
    return validate_texts(texts, versions=versions, given=given, found=found)


def _read(path: Path) -> str | KubeManifestError:
    try:
        return read_text(path)
    except KubeManifestError as error:
        return error


def _decoded(data: bytes, name: str) -> str | KubeManifestError:
    try:
        return decode(data, name)
    except KubeManifestError as error:
        return error


def validate_files(
    files: Iterable[Path], *, versions: Sequence[str] = (), given: Sequence[Path] = ()
) -> list[Checked]:
    """Check files together: an object of one may refer to an object of another.

    Args:
        files: to be checked.
        versions: as for `validate`.
        given: files with further definitions of custom resources, which are not checked themselves.

    Raises:
        UsageError, ToolchainError: as `validate`. A file that cannot be read is a problem of its own.
    """
    return validate_texts([(str(path), _read(path)) for path in files], versions=versions, given=given)


def validate_texts(
    texts: Iterable[tuple[str, str | KubeManifestError]],
    *,
    versions: Sequence[str] = (),
    given: Sequence[Path] = (),
    found: Collection[str] = (),
) -> list[Checked]:
    """As `validate_files`, with names and texts; ``found`` are those that nobody named."""
    wanted = wanted_versions(tuple(versions))
    custom = Definitions()
    for path in given:
        custom.add(read_documents(read_text(path), file=str(path)).documents)
    checked: list[Checked] = []
    documents: list[Document] = []
    for name, text in texts:
        result = Checked(name, named=name not in found)
        checked.append(result)
        if isinstance(text, KubeManifestError):
            result.problems += text.problems
            continue
        if part := patch(name):
            result.problems.append(part)
            continue
        reading = read_documents(text, file=name)
        if not result.named and is_template(name, text) and not _filled_in(name, reading):
            result.problems.append(template(name))
            continue
        result.problems += reading.problems
        result.objects = len(reading.documents)
        documents += reading.documents
    custom.add(documents)
    by_file = {result.file: result for result in checked}
    lesser: Severity | None = None if versions else "warning"
    checks = (_alone(each, wanted, custom, by_file[each.file], lesser) for each in documents)
    sound = [each for each in checks if each is not None]
    for rule in OF_ALL:
        for problem in rule(sound):
            by_file[problem.file].problems.append(problem)
    for result in checked:
        result.problems = sorted(dict.fromkeys(result.problems), key=lambda each: (each.line, each.column))
    return checked


def _filled_in(name: str, reading: Reading) -> bool:
    """Whether a file among templates is a manifest all the same: dashboards and workflows hold ``{{ }}`` as text.

    Beside a ``Chart.yaml`` it is Helm that will read the file.
    """
    folders = [folder for folder in Path(name).parents if folder.name == "templates"]
    return (
        not any((folder.parent / "Chart.yaml").is_file() for folder in folders)
        and bool(reading.documents)
        and not any(problem.severity == "error" for problem in reading.problems)
        and all(each.api_version and each.kind for each in reading.documents)
    )


def _alone(
    document: Document, versions: Sequence[str], custom: Definitions, result: Checked, lesser: Severity | None
) -> Document | None:
    """Check one object for itself; gives what is to be checked together with others, None where that is nothing.

    An object whose API was removed goes on as one of the API that takes its place, where the shape is the same.
    """
    if problem := foreign(document, named=result.named):
        result.problems.append(problem)
        result.objects -= 1
        return None
    found = [*against_versions(document, versions, custom, lesser)]
    result.problems += found
    if any(problem.path in ("apiVersion", "kind") and problem.severity != "warning" for problem in found):
        if UNCHECKED in found[0].message:
            return document
        gone = removed(document.api_version, document.kind)
        if gone is None or not gone.alike or not gone.instead:
            return None
        document = document.as_version(gone.instead)
        after = against_versions(document, versions, custom, lesser)
        result.problems += [problem for problem in after if problem.path not in ("apiVersion", "kind")]
    for rule in OF_ONE:
        result.problems += rule(document)
    return document


def against_versions(
    document: Document, versions: Sequence[str], custom: Definitions, lesser: Severity | None = None
) -> Iterator[Problem]:
    """What the schemas of several versions say, each problem once with the versions that mind.

    ``lesser`` is the severity of what only some of the versions mind, where nobody asked for these versions.
    """
    key = (document.api_version, document.kind)
    have = [version for version in versions if key in schemas(version).kinds]
    if not have and key not in custom:
        yield unknown_kind(document, versions, custom)
        return
    found: dict[Problem, list[str]] = {}
    for version in versions:
        checker = custom.checker(*key, version) or schemas(version).checker(*key)
        for problem in explain(document, checker) if checker else ():
            found.setdefault(problem, []).append(version)
    for problem, minding in found.items():
        some = tuple(minding)
        if len(some) < len(have or versions):
            message = f"{problem.message} ({said(some)})"
            yield replace(problem, message=message, versions=some, severity=lesser or problem.severity)
        else:
            yield replace(problem, versions=some)
    if have and len(have) < len(versions) and key not in custom:
        lacking = tuple(version for version in versions if version not in have)
        first = since(*key)
        yield Problem(
            document.file,
            *document.place(["apiVersion"]),
            f"{document.api_version} {document.kind} is not in {said(lacking)}.",
            f"It is there since Kubernetes {first}." if first and first in have else "",
            lesser or "error",
            versions=lacking,
            path="apiVersion",
        )
