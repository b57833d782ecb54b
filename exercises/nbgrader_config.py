"""nbgrader's configuration for this folder: cd exercises && nbgrader generate_assignment 01_rust_cells

`wasm-lab exercises release` and `wasm-lab grade` do not read it. nbgrader's own autograde executes what students
wrote in a kernel of yours: use it for submissions that you trust, and `wasm-lab grade` for all others.
"""

from wasm_lab.exercises.nbgrader_parts import GENERATE

c = get_config()  # noqa: F821 - nbgrader defines it
c.CourseDirectory.course_id = "wasm-lab"
c.GenerateAssignment.preprocessors = GENERATE
c.Execute.timeout = 120  # seconds for a cell: the first one in Rust may have to wait for a compiler
