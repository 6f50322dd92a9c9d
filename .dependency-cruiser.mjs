/*
 * The rooms and the arrows between them, as CONTRIBUTING.md draws them: `npm run lint` holds every import against this
 * table, types included.
 */

const LIBRARY = [
  "data",
  "model",
  "toxicity",
  "scorers",
  "alignment",
  "analysis",
  "metrics",
  "present",
  "study",
];

/** Which rooms a room may import, besides itself. */
export const ROOMS = {
  "src/base": [],
  "src/jupyter": ["src/base"],
  "src/papermill": ["src/jupyter", "src/base"],
  "kernels/typescript": ["src/jupyter", "src/base"],
  "src/tensors": ["src/base"],
  "src/data": ["src/base"],
  "src/model": ["src/tensors", "src/base"],
  "src/toxicity": ["src/model", "src/tensors", "src/base"],
  "src/scorers": ["src/model", "src/data", "src/tensors", "src/base"],
  "src/alignment": ["src/scorers", "src/toxicity", "src/model", "src/data", "src/tensors", "src/base"],
  "src/analysis": ["src/toxicity", "src/model", "src/tensors", "src/base"],
  "src/metrics": ["src/scorers", "src/toxicity", "src/model", "src/tensors", "src/base"],
  "src/present": ["src/base"],
  "src/study": [...LIBRARY.map((room) => `src/${room}`), "src/tensors", "src/base"],
  "src/index.ts": [...LIBRARY.map((room) => `src/${room}`), "src/tensors", "src/base"],
  "src/pipeline": ["src/papermill", "src/jupyter", "src/present", "src/data", "src/tensors", "src/base"],
  "src/site": ["src/pipeline", "src/jupyter", "src/present", "src/base"],
  "src/lab": [...LIBRARY.map((room) => `src/${room}`), "src/tensors", "src/base"],
  "src/cli": ["src/(?!index\\.ts)[^/]+", "kernels/typescript"],
};

const arrows = Object.entries(ROOMS).map(([room, allowed]) => ({
  name: `${room} imports what it may`,
  severity: "error",
  from: { path: `^${room}(/|$)` },
  to: { path: "^(src|kernels)/", pathNot: [room, ...allowed].map((path) => `^${path}(/|$)`) },
}));

/** @type {import("dependency-cruiser").IConfiguration} */
const configuration = {
  forbidden: [
    ...arrows,
    {
      name: "every room has a line in the table",
      severity: "error",
      from: { path: "^(src|kernels)/", pathNot: Object.keys(ROOMS).map((room) => `^${room}(/|$)`) },
      to: {},
    },
    { name: "no circles, types included", severity: "error", from: {}, to: { circular: true } },
  ],
  options: {
    doNotFollow: { path: ["node_modules", "/dist/"] },
    exclude: { path: "^src/site/browser/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["types", "import", "node", "default"],
    },
  },
};

export default configuration;
