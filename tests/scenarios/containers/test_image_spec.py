"""The lab's images against the JSON schemas of the image specification."""

import json
from pathlib import Path

import jsonschema_rs
import pytest

from wasm_lab.build.wasm_tools import assemble
from wasm_lab.scenarios.containers.image import Entry, files_image, wasm_image
from wasm_lab.scenarios.containers.layout import LAYOUT_FILE

SCHEMAS = Path(__file__).parent / "image_spec"
COMPONENT = assemble("(component)")
MODULE = assemble("(module)")


def validator(name):
    """A schema with all that it refers to: relative to its own file, or to the identity it has."""

    def found(uri):
        return json.loads((SCHEMAS / uri.rpartition("/")[2]).read_text())

    return jsonschema_rs.validator_for(found(name), retriever=found)


IMAGES = {
    "module": lambda: wasm_image(MODULE, "localhost/a:1", arguments=["x"], environment={"A": "b"}),
    "component": lambda: wasm_image(COMPONENT, "localhost/a:1", annotations={"a.b": "ü"}),
    "module-artifact": lambda: wasm_image(MODULE, "localhost/a:1", form="artifact"),
    "component-artifact": lambda: wasm_image(COMPONENT, "localhost/a:1", form="artifact"),
    "files": lambda: files_image([Entry("/a", b"")], "a", entrypoint=["/a"], platform="wasi/wasm"),
}


@pytest.mark.parametrize("name", IMAGES)
def test_every_part_is_as_its_schema_has_it(name):
    image = IMAGES[name]()
    validator("image-index-schema.json").validate(json.loads(image.index))
    validator("image-manifest-schema.json").validate(json.loads(image.manifest.data))
    validator("image-layout-schema.json").validate(json.loads(LAYOUT_FILE))
    if image.config.media_type == "application/vnd.oci.image.config.v1+json":
        validator("config-schema.json").validate(json.loads(image.config.data))


def test_the_schemas_refuse_what_is_wrong():
    manifest = json.loads(wasm_image(MODULE, "a").manifest.data)
    manifest["layers"][0]["digest"] = "sha256"
    with pytest.raises(jsonschema_rs.ValidationError):
        validator("image-manifest-schema.json").validate(manifest)
