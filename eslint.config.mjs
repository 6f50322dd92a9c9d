import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["**/node_modules/", "**/dist/", "outputs/", "data/", "coverage/", "docs/api/", ".cache/"] },
  ...tseslint.configs.strict,
  {
    files: ["src/**/*.ts", "kernels/**/*.ts"],
    extends: [...tseslint.configs.recommendedTypeCheckedOnly],
    languageOptions: {
      parserOptions: {
        project: [
          "tsconfig.json",
          "src/*/tsconfig.json",
          "src/site/browser/tsconfig.json",
          "kernels/*/tsconfig.json",
        ],
        tsconfigRootDir: import.meta.dirname,
      },
    },
  },
  {
    files: ["src/**/*.ts", "kernels/**/*.ts", "test/**/*.ts"],
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      // A type may carry documentation of its own, also when it extends another without adding anything.
      "@typescript-eslint/no-empty-object-type": ["error", { allowInterfaces: "with-single-extends" }],
      // With noUncheckedIndexedAccess an index that a loop has just checked has to be asserted.
      "@typescript-eslint/no-non-null-assertion": "off",
      // A hook may return a tensor or nothing.
      "@typescript-eslint/no-invalid-void-type": "off",
      eqeqeq: "error",
    },
  },
  {
    // Parts of one script for readers' browsers: what one declares, another uses.
    files: ["src/site/browser/*.ts"],
    rules: { "@typescript-eslint/no-unused-vars": "off" },
  },
  {
    // What a full disk cuts, or a kill, is nobody's file: see src/base/files.ts. (A lock's file must not replace one.)
    files: ["src/**/*.ts", "kernels/**/*.ts"],
    ignores: ["src/base/files.ts", "src/base/lock.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          paths: [
            [
              "node:fs",
              ["writeFile", "appendFile", "copyFile", "cp"].flatMap((name) => [name, `${name}Sync`]),
            ],
            ["node:fs", ["write", "writeSync", "writev", "writevSync", "createWriteStream"]],
            ["node:fs/promises", ["writeFile", "appendFile", "copyFile", "cp"]],
          ].map(([name, importNames]) => ({
            name,
            importNames,
            message: "@alignscope/base/files writes whole files: use it.",
          })),
        },
      ],
    },
  },
  {
    files: ["**/*.cjs"],
    rules: { "@typescript-eslint/no-require-imports": "off" },
  },
  {
    files: ["src/**/*.ts", "kernels/**/*.ts"],
    rules: {
      // Messages are written for people: numbers and parsed JSON in them are read as meant.
      "@typescript-eslint/restrict-template-expressions": "off",
      "@typescript-eslint/no-base-to-string": "off",
    },
  },
);
