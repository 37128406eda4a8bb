import { assert, describe, it } from "vitest"
import { TestReader } from "../../../../src/lib/test-counts/counts.ts"

/** Counts of an output that arrives in pieces of this size. */
const countsOf = (output: string, pieceBytes = 7) => {
  const reader = new TestReader()
  const bytes = Buffer.from(output)
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.add(bytes.subarray(at, at + pieceBytes))
  const { counts } = reader
  return counts === undefined ? undefined : [counts.format, counts.passed, counts.failed, counts.skipped]
}

// As the programs printed them: Node 24, vitest 5, pytest 9, Python 3.11, cargo 1.75, go 1.22.
const NODE_TAP = `TAP version 13
# Subtest: a
ok 1 - a
  ---
  duration_ms: 0.5
  type: 'test'
  ...
# Subtest: d
    # Subtest: e
    ok 1 - e
    1..1
ok 4 - d
1..4
# tests 5
# suites 0
# pass 3
# fail 1
# cancelled 0
# skipped 1
# todo 0
# duration_ms 81.499817
`
const NODE_SPEC = NODE_TAP.slice(NODE_TAP.indexOf("# tests")).replaceAll("#", "ℹ")
const PLAIN_TAP = `1..5
ok 1 - opens
not ok 2 - reads
# expected 1
ok 3 - writes # SKIP no disk
not ok 4 - closes # TODO
ok 5
`
const VITEST =
  "\u001b[2m Test Files \u001b[22m \u001b[1m\u001b[31m1 failed\u001b[39m\u001b[22m\u001b[90m (1)\u001b[39m\n" +
  "\u001b[2m      Tests \u001b[22m \u001b[1m\u001b[31m1 failed\u001b[39m\u001b[22m\u001b[2m | \u001b[22m\u001b[1m\u001b[32m2 passed\u001b[39m" +
  "\u001b[22m\u001b[2m | \u001b[22m\u001b[36m1 expected fail\u001b[39m\u001b[2m | \u001b[22m\u001b[33m1 skipped\u001b[39m\u001b[2m | \u001b[22m" +
  "\u001b[90m1 todo\u001b[39m\u001b[90m (6)\u001b[39m\n"
const PYTEST = "FAILED test_p.py::test_b - assert 1 == 2\n" +
  "========== 1 failed, 1 passed, 1 skipped, 1 xfailed, 1 error in 0.02s ==========\n"
const UNITTEST =
  "EF.sx\n----------\nRan 5 tests in 0.004s\n\nFAILED (failures=1, errors=1, skipped=1, expected failures=1)\n"
const CARGO = "test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.09s\n" +
  "\nrunning 0 tests\n\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n"
const GO_VERBOSE = `=== RUN   TestA
=== RUN   TestA/sub
--- PASS: TestA (0.00s)
    --- PASS: TestA/sub (0.00s)
=== RUN   TestB
    a_test.go:4: x
--- FAIL: TestB (0.00s)
=== RUN   TestC
--- SKIP: TestC (0.00s)
FAIL
FAIL\tx\t0.004s
FAIL
`
const GO = "--- FAIL: TestB (0.00s)\n    a_test.go:4: x\nFAIL\nFAIL\tx\t0.003s\nok  \ty\t0.002s\nFAIL\n"
const JUNIT = `<?xml version="1.0" encoding="utf-8"?>
<testsuites>
\t<testcase name="a" time="0.000593" classname="test"/>
\t<testcase name="b" time="0.000540" classname="test" failure="x &lt; y">
\t\t<failure type="testCodeFailure" message="x">
[Error [ERR_TEST_FAILURE]: x] at TestContext.&lt;anonymous> (file.mjs:2:40)
\t\t</failure>
\t</testcase>
\t<testcase name="c"><skipped type="skipped" message="true"/></testcase>
\t<testsuite name="d" tests="1" failures="0">
\t\t<testcase name="e" classname="d"/>
\t</testsuite>
</testsuites>
`

describe("the counts of tests", () => {
  it.each([
    ["Node's TAP", NODE_TAP, ["tap", 3, 1, 1]],
    ["Node's own report", NODE_SPEC, ["tap", 3, 1, 1]],
    ["TAP", PLAIN_TAP, ["tap", 2, 1, 2]],
    ["vitest", VITEST, ["vitest", 3, 1, 2]],
    ["pytest", PYTEST, ["pytest", 1, 2, 2]],
    ["pytest -q", PYTEST.replaceAll(/ ?=+ ?/g, ""), ["pytest", 1, 2, 2]],
    ["pytest without tests", "no tests ran in 0.01s\n", ["pytest", 0, 0, 0]],
    ["pytest of a minute", "5 passed, 2 warnings in 75.21s (0:01:15)\n", ["pytest", 5, 0, 0]],
    ["unittest", UNITTEST, ["unittest", 1, 2, 2]],
    ["unittest that passes", "Ran 3 tests in 0.000s\n\nOK\n", ["unittest", 3, 0, 0]],
    ["cargo", CARGO, ["cargo", 3, 1, 1]],
    ["go test -v", GO_VERBOSE, ["go", 2, 1, 1]],
    ["go test", GO, ["go", 1, 1, 0]],
    ["JUnit XML", JUNIT, ["junit", 2, 1, 1]],
    ["JUnit XML in one line", JUNIT.replaceAll("\n", " "), ["junit", 2, 1, 1]],
    ["a terminal's line ends", UNITTEST.replaceAll("\n", "\r\n"), ["unittest", 1, 2, 2]]
  ])("the report of %s is counted, however it is cut", (_, output, counts) => {
    for (const size of [1, 7, 100_000]) assert.deepStrictEqual(countsOf(output, size), counts)
  })

  it.each([
    ["nothing", ""],
    ["prose", "ok, it works\nTests are good\n3 passed the gate\nFAILED to be funny\nOK\n"],
    ["an ok of no test program", "ok 1 - installed\nok 2 - configured\n"],
    ["other XML", "<project><testcase/><failure/></project>\n"]
  ])("%s is no report", (_, output) => assert.isUndefined(countsOf(output)))

  it("the last report counts, as programs that run others print their own last", () => {
    assert.deepStrictEqual(countsOf(PLAIN_TAP + PYTEST), ["pytest", 1, 2, 2])
    assert.deepStrictEqual(countsOf(PYTEST + JUNIT), ["junit", 2, 1, 1])
  })

  it("a hostile output has no report and takes no memory", () => {
    const reader = new TestReader()
    const long = Buffer.alloc(1_000_000, "<testsuites ")
    for (let times = 0; times < 20; times++) reader.add(long)
    reader.add(Buffer.from(`\n${"9".repeat(5_000)} passed in 1s\n# pass ${"9".repeat(50)}\n`))
    assert.isUndefined(reader.counts)
  })
})
