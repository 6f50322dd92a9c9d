import { describe, expect, it } from "vitest";
import {
  findTranslator,
  parameterHelp,
  typeText,
  type DeclaredParameter,
} from "../../../src/papermill/index.js";

async function read(source: string): Promise<DeclaredParameter[]> {
  return (await findTranslator("", "python")?.inspect?.(source)) ?? [];
}

describe("the parameters of a Python cell", () => {
  it("are shown as papermill shows them", async () => {
    const source = [
      "# Nothing to see here",
      "msg = None",
      "a: float = 2.25  # Variable a",
      'b = ["Hello",  # not this',
      '     "World"]  # type: List[str] Nice list',
      'c: "NoneType" = None',
      "print(a)",
    ].join("\n");
    expect((await read(source)).flatMap(parameterHelp)).toEqual([
      "  msg: Unknown type (default None)",
      "  a: float (default 2.25)         Variable a",
      '  b: List[str] (default ["Hello","World"])',
      "                                  Nice list",
      "  c: NoneType (default None)      ",
    ]);
  });

  it("may hold = and # in text, and calls over several lines", async () => {
    const source =
      'url = "http://x/?a=1#top"  # where\noptions = dict(\n    a=1,\n)\nif url == 1:\n    no = 2\n';
    expect((await read(source)).map(({ name, defaultSource, help }) => [name, defaultSource, help])).toEqual([
      ["url", '"http://x/?a=1#top"', "where"],
      ["options", "dict(a=1,)", undefined],
    ]);
  });

  it.each([
    ["int", "integer"],
    ["Optional[int]", "integer | null"],
    ["int | None", "integer | null"],
    ["typing.List[float]", "number[]"],
    ["dict[str, bool]", "Record<string, boolean>"],
    ["Dict[str, List[int]]", "Record<string, integer[]>"],
    ["Union[int, str]", "integer | string"],
    ["Literal[\"a|b\", 'c, d', 3, True]", '"a|b" | "c, d" | 3 | true'],
    ["tuple[int, str]", "[integer, string]"],
    ["Tuple[int, ...]", "integer[]"],
    ["np.ndarray", "any"],
  ])("annotated %s take %s", async (annotation, type) => {
    const [declared] = await read(`x: ${annotation} = y`);
    expect(declared?.type).toBe(annotation);
    expect(declared?.structure && typeText(declared.structure)).toBe(type);
  });
});
