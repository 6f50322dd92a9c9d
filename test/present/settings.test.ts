import { describe, expect, it } from "vitest";
import { paperTable, type PaperTable } from "../../src/present/paper-values.js";
import { besideSettings } from "../../src/present/settings.js";

const published: PaperTable = {
  ...{ id: "table-99", section: "D", source: "lee2024", where: "Table 99", title: "Settings", key: "id" },
  columns: [],
  rows: [
    { id: "rate", parameter: "dpoRate", label: "Rate", value: 1e-6, code: 1e-6, remark: "1e-5 before" },
    { id: "patience", parameter: "dpoPatience", label: "Patience", value: 10, code: 30, remark: null },
    { id: "warmup", parameter: "dpoWarmup", label: "Warm-up", value: null, code: 150, remark: null },
    { id: "decay", parameter: "pplmDecay", label: "Decay", value: false, remark: null },
  ],
};

describe("besideSettings", () => {
  it("holds each setting against the paper, or against the code where the paper prints none", () => {
    const rows = besideSettings({ rate: 0.000001, patience: 10, warmup: 150, decay: false }, published);
    expect(rows.map(({ own, verdict }) => [own, verdict])).toEqual([
      ["1e-6", "equal"],
      ["10", "equal"],
      ["150", "as in the code"],
      ["no", "equal"],
    ]);
    expect(rows[0]).toMatchObject({ paper: "1e-6", code: "1e-6", remark: "1e-5 before" });
    expect(rows[1]).toMatchObject({ paper: "10", code: "30", remark: null });
  });

  it("says of what differs why, in the profile's words or that it was chosen for this run", () => {
    const rows = besideSettings({ rate: 1e-5, patience: 3, warmup: 20, decay: true }, published, {
      dpoPatience: "minutes, not hours",
      warmup: "fewer steps",
    });
    expect(rows.map(({ verdict, remark }) => [verdict, remark])).toEqual([
      ["differs", "chosen for this run; 1e-5 before"],
      ["differs", "minutes, not hours"],
      ["not as in the code", "fewer steps"],
      ["differs", "chosen for this run"],
    ]);
  });

  it("does not call absent settings different: a run on others' pairs has none of PPLM's", () => {
    const rows = besideSettings({}, paperTable("table-6"));
    expect(rows).toHaveLength(10);
    expect(new Set(rows.map(({ own, verdict }) => `${own} ${verdict}`))).toEqual(new Set(["null not used"]));
  });
});
