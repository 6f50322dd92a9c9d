import type * as TS from "typescript";
import type { TslabTypeScript } from "./typescript.js";

/** Under this name of globalThis cells reach what the kernel does for them; tslab made it, for `exports` and `require`. */
export const RUNTIME = "__tslab__";

/**
 * Rewrites a cell's JavaScript before tslab does. tslab turns each name of an earlier cell into `exports.name`, also where
 * the name is a key: `{ name }`, and `({ name: n }) => n` when an earlier cell's object has that key. Here keys stay keys;
 * besides, functions of earlier cells are called without `exports` as their `this`, what a cell awaits ends when the cell is
 * interrupted, and `import()` and `import.meta` work as in a module.
 *
 * Nodes that tslab must leave alone are made anew: it asks the type checker, which knows only what was parsed.
 */
export function rewriteCell(
  ts: TslabTypeScript,
  checker: TS.TypeChecker,
  earlier: TS.SourceFile | undefined,
  execution: number,
): TS.TransformerFactory<TS.SourceFile> {
  const { factory } = ts;

  const isEarlier = (symbol: TS.Symbol | undefined): boolean =>
    earlier !== undefined && (symbol?.declarations ?? []).some((one) => one.getSourceFile() === earlier);

  const fromExports = (name: string): TS.Expression =>
    factory.createPropertyAccessExpression(
      factory.createIdentifier("exports"),
      factory.createIdentifier(name),
    );

  const runtime = (name: string): TS.Expression =>
    factory.createPropertyAccessExpression(factory.createIdentifier(RUNTIME), factory.createIdentifier(name));

  const call = (name: string, ...values: TS.Expression[]): TS.Expression =>
    factory.createCallExpression(runtime(name), undefined, values);

  /** Goes on with a value unless the cell was interrupted meanwhile. */
  const resumed = (value: TS.Expression): TS.Expression =>
    call("resume", value, factory.createNumericLiteral(execution));

  return (context) => {
    const visit = (node: TS.Node): TS.Node => {
      if (ts.isShorthandPropertyAssignment(node)) return shorthand(node);
      if (ts.isIdentifier(node)) return identifier(node);
      if (ts.isAwaitExpression(node)) {
        return resumed(factory.createAwaitExpression(visit(node.expression) as TS.Expression));
      }
      if (ts.isForOfStatement(node) && node.awaitModifier) return awaitingLoop(node);
      if (ts.isCallExpression(node)) {
        if (node.expression.kind === ts.SyntaxKind.ImportKeyword) {
          return call("importModule", ...node.arguments.map((value) => visit(value) as TS.Expression));
        }
        const { expression } = node;
        if (ts.isIdentifier(expression) && isEarlier(checker.getSymbolAtLocation(expression))) {
          const callee = factory.createParenthesizedExpression(
            factory.createComma(factory.createNumericLiteral(0), fromExports(expression.text)),
          );
          const values = node.arguments.map((value) => visit(value) as TS.Expression);
          return ts.setTextRange(
            node.questionDotToken
              ? factory.createCallChain(callee, node.questionDotToken, undefined, values)
              : factory.createCallExpression(callee, undefined, values),
            node,
          );
        }
      }
      if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword)
        return runtime("meta");
      return ts.visitEachChild(node, visit, context);
    };

    const identifier = (node: TS.Identifier): TS.Node => {
      // What the compiler has made itself, for an enum say, is no one's variable.
      if (ts.getParseTreeNode(node) !== node) return node;
      if (isKey(node)) return copied(node);
      return isEarlier(checker.getSymbolAtLocation(node))
        ? ts.setTextRange(fromExports(node.text), node)
        : copied(node);
    };

    const copied = (node: TS.Identifier): TS.Identifier =>
      ts.setTextRange(factory.createIdentifier(node.text), node);

    const shorthand = (node: TS.ShorthandPropertyAssignment): TS.Node => {
      const written = ts.getParseTreeNode(node);
      const name = node.name.text;
      const value =
        written && ts.isShorthandPropertyAssignment(written)
          ? checker.getShorthandAssignmentValueSymbol(written)
          : undefined;
      const initial = node.objectAssignmentInitializer;
      const source = isEarlier(value) ? fromExports(name) : copied(node.name);
      return factory.createPropertyAssignment(
        copied(node.name),
        initial ? factory.createAssignment(source, visit(initial) as TS.Expression) : source,
      );
    };

    /** `for await` waits at the head of the loop: its body begins with the look whether to go on. */
    const awaitingLoop = (node: TS.ForOfStatement): TS.Node => {
      const body = visit(node.statement) as TS.Statement;
      const statements = [factory.createExpressionStatement(resumed(factory.createVoidZero())), body];
      return factory.updateForOfStatement(
        node,
        node.awaitModifier,
        visit(node.initializer) as TS.ForInitializer,
        visit(node.expression) as TS.Expression,
        factory.createBlock(statements, true),
      );
    };

    const isKey = (node: TS.Identifier): boolean => {
      const parent = (ts.getParseTreeNode(node) as TS.Identifier | undefined)?.parent;
      if (!parent) return true;
      if (ts.isBindingElement(parent)) return parent.propertyName === node || parent.name === node;
      if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
      if (ts.isLabeledStatement(parent) || ts.isBreakOrContinueStatement(parent))
        return parent.label === node;
      if (ts.isExportSpecifier(parent) || ts.isImportSpecifier(parent)) return true;
      return (
        (ts.isPropertyAssignment(parent) ||
          ts.isPropertyDeclaration(parent) ||
          ts.isMethodDeclaration(parent) ||
          ts.isAccessor(parent)) &&
        parent.name === node
      );
    };

    return (file) => ts.visitEachChild(file, visit, context);
  };
}

/** What a local module's `import.meta` stands for, once it is a CommonJS module. */
export function rewriteModule(ts: TslabTypeScript): TS.TransformerFactory<TS.SourceFile> {
  const { factory } = ts;
  return (context) => {
    const visit = (node: TS.Node): TS.Node =>
      ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword
        ? factory.createCallExpression(
            factory.createPropertyAccessExpression(factory.createIdentifier(RUNTIME), "metaOf"),
            undefined,
            [factory.createIdentifier("__filename")],
          )
        : ts.visitEachChild(node, visit, context);
    return (file) => ts.visitEachChild(file, visit, context);
  };
}
