"""Jupyter's own tests of a kernel, jupyter_kernel_test, with a sample for everything that the kernel `alignscope` can do.

    python3 kernel_tests.py [REPORT.json]

The kernel is found by its name, in JUPYTER_PATH for instance. The report says which tests ran, which failed or broke,
with their messages, and which were skipped.
"""

import json
import sys
import unittest

import jupyter_kernel_test

PATIENCE = 10
"""Seconds to wait for a message that must come; the suite's tenth of a second is little on a machine with other work."""


class Alignscope(jupyter_kernel_test.KernelTests):
    kernel_name = "alignscope"
    language_name = "typescript"
    file_extension = ".ts"

    code_hello_world = 'console.log("hello, world")'
    code_stderr = 'console.error("hello, stderr")'

    completion_samples = [
        {"text": "Math.sq", "matches": {"sqrt"}},
        {"text": "[1].forE", "matches": {"forEach"}},
        {"text": '"a".toUpperC', "matches": {"toUpperCase"}},
        {"text": "const root = Math.cb", "matches": {"cbrt"}},
    ]

    complete_code_samples = [
        "6 * 7",
        "const answer: number = 42",
        "for (const n of [1, 2]) {\n  console.log(n)\n}",
        "await Promise.resolve(1)",
        'import { sep } from "node:path"',
        "/* nothing */",
        'const wrong: number = "its type is for the compiler to say"',
    ]
    incomplete_code_samples = [
        "function f() {",
        "const list = [1,",
        "const text = `two lines",
        "if (true) {\n  1;",
        "/* a comment",
        "const sum =",
        "Math.max(1, 2",
    ]
    invalid_code_samples = [
        "const = 1",
        "let x: = 2",
        ")",
        "const list = [1, 2};",
        'const text = "one line\n',
    ]

    code_generate_error = 'throw new RangeError("out of range")'

    code_execute_result = [
        {"code": "6*7", "result": "42"},
        {"code": '"con" + "cat"', "result": "concat"},
        {"code": "[1, 2].map((n: number) => 2 * n)", "result": "[ 2, 4 ]"},
        {"code": "await Promise.resolve({ a: 1 })", "result": "{ a: 1 }"},
    ]

    code_display_data = [
        {
            "code": '(globalThis as any)[Symbol.for("ts-jupyter-kernel.display")]'
            '({ data: { "text/html": "<b>bold</b>", "text/plain": "bold" }, metadata: {}, transient: {} }, false)',
            "mime": "text/html",
        },
        {"code": 'kernel.display({ "text/markdown": "*it*" })', "mime": "text/markdown"},
        {
            "code": 'kernel.display({ "image/svg+xml": "<svg/>" }, { "image/svg+xml": { width: 9 } })',
            "mime": "image/svg+xml",
        },
    ]

    supported_history_operations = ("tail", "range", "search")
    code_history_pattern = "6?7"

    code_inspect_sample = "Math.sqrt"
    code_clear_output = "kernel.clearOutput()"

    # No code_page_something: the kernel has no pager. Payloads are deprecated by the protocol, and clients of today show
    # what inspecting answers beside the cell.

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.patience = 0
        channel = cls.kc.iopub_channel
        get_msg = channel.get_msg

        def patient_get_msg(timeout=None):
            return get_msg(timeout=None if timeout is None else max(timeout, cls.patience))

        channel.get_msg = patient_get_msg

    def flush_channels(self):
        # Here no message is what is waited for.
        type(self).patience = 0
        super().flush_channels()

    def execute_helper(self, *args, **kwargs):
        type(self).patience = PATIENCE
        return super().execute_helper(*args, **kwargs)


class Result(unittest.TextTestResult):
    """Keeps, beside what unittest prints, by test what went wrong in few words; a part of one (`subTest`) counts to it."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.report = {"ran": [], "failures": {}, "errors": {}, "skipped": []}

    def startTest(self, test):
        super().startTest(test)
        self.report["ran"].append(test._testMethodName)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note("failures", test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self.note("errors", test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            failed = issubclass(err[0], test.failureException)
            self.note("failures" if failed else "errors", test, err, subtest._subDescription() + " ")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.report["skipped"].append(getattr(test, "test_case", test)._testMethodName)

    def note(self, kind, test, err, part=""):
        # What breaks outside a test, a kernel that does not start say, has no method.
        name = getattr(test, "_testMethodName", None) or str(test)
        said = " ".join(str(err[1]).split())[:300]
        self.report[kind].setdefault(name, []).append(f"{part}{err[0].__name__}: {said}")


def main():
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Alignscope)
    result = unittest.TextTestRunner(verbosity=2, resultclass=Result).run(suite)
    if len(sys.argv) > 1:
        with open(sys.argv[1], "w", encoding="utf-8") as file:
            json.dump(result.report, file, indent=2)
    sys.exit(0 if result.wasSuccessful() else 1)


if __name__ == "__main__":
    main()
