import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import builtin from '../src/core/builtin.json';
import type { NodeType } from '../src/core/catalog';
import type { JsonObject } from '../src/core/flow';
import { translator } from '../src/core/i18n';
import vietnamese from '../src/core/locale/vi.json';
import ofMemory from '../src/inspector/vi.json';
import { localized, paragraphs } from '../src/core/localized';

const ROOT = join(import.meta.dirname, '../src');
/** Functions and classes whose first argument is a message. */
const SPEAKERS = new Set(['trans', 'translatorOf', 'sentence', 'EditError']);
const catalog: Readonly<Record<string, string>> = vietnamese;

/** The inspector is a file of its own, with translations of its own. */
function sources(of: 'canvas' | 'inspector'): string[] {
  return readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
    .filter(name => /\.tsx?$/.test(name) && !name.startsWith('testpage'))
    .filter(name => name.startsWith('inspector') === (of === 'inspector'))
    .map(name => join(ROOT, name));
}

/** Literals that an expression may give: `a ? 'x' : 'y'` gives two. */
function literals(node: ts.Expression): string[] {
  if (ts.isStringLiteralLike(node)) {
    return [node.text];
  }
  if (ts.isConditionalExpression(node)) {
    return [...literals(node.whenTrue), ...literals(node.whenFalse)];
  }
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const [left = '', right = ''] = [literals(node.left)[0], literals(node.right)[0]];
    return left && right ? [left + right] : [];
  }
  return [];
}

/** `trans`, of `trans(..)`, `services.trans(..)` and `translatorOf(..)(..)`. */
function speaker(callee: ts.Expression): string {
  if (ts.isCallExpression(callee)) {
    return speaker(callee.expression);
  }
  return ts.isIdentifier(callee)
    ? callee.text
    : ts.isPropertyAccessExpression(callee)
      ? callee.name.text
      : '';
}

/** Constants in capitals that stand for a message, by file. */
function constants(file: ts.SourceFile): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer) {
      found.set(node.name.text, literals(node.initializer));
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function messagesOf(path: string): string[] {
  const text = readFileSync(path, 'utf8');
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const named = constants(file);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      const [first] = node.arguments ?? [];
      if (first && SPEAKERS.has(speaker(node.expression))) {
        found.push(...literals(first));
        found.push(...(ts.isIdentifier(first) ? (named.get(first.text) ?? []) : []));
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function placeholders(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '').sort();
}

const types = builtin as unknown as readonly NodeType[];

/** What people read of our own node types. */
function textsOf({ category, title, summary, help, inputs, config }: NodeType): string[] {
  const fields = Object.values((config.properties ?? {}) as Record<string, JsonObject>);
  const said = fields.flatMap(field => [field.title, field.description]);
  const ports = inputs.map(port => port.help);
  return [category, title, summary, ...paragraphs(help), ...ports, ...(said as string[])];
}

const messagesOfCanvas = [...sources('canvas').flatMap(messagesOf), ...types.flatMap(textsOf)];
const messagesOfMemory = sources('inspector').flatMap(messagesOf);

describe.each([
  ['the canvas', messagesOfCanvas, catalog],
  ['the inspector of a memory', messagesOfMemory, ofMemory as Readonly<Record<string, string>>]
])('the messages of %s', (_, used, catalog) => {
  const messages = [...new Set(used)].filter(Boolean).sort();

  it('are all translated', () => {
    expect(messages.filter(message => !(message in catalog))).toEqual([]);
  });

  it('are all used', () => {
    expect(Object.keys(catalog).filter(message => !messages.includes(message))).toEqual([]);
  });

  it('keep their placeholders', () => {
    for (const [message, translation] of Object.entries(catalog)) {
      expect(placeholders(translation), message).toEqual(placeholders(message));
    }
  });

  it('are sorted, so that two people who add some rarely meet', () => {
    const keys = Object.keys(catalog);
    expect(keys).toEqual([...keys].sort());
  });
});

describe('our own node types', () => {
  const speaks = translator('vi');

  it("speak the reader's language, and mean the same", () => {
    for (const type of types) {
      const shown = localized(type, speaks);
      expect(shown.title).toBe(catalog[type.title]);
      expect(shown.summary).toBe(catalog[type.summary]);
      expect(paragraphs(shown.help)).toEqual(paragraphs(type.help).map(text => catalog[text]));
      const { title, summary, help, inputs, config } = type;
      expect({ ...shown, title, summary, help, inputs, config }).toEqual(type);
      expect(shown.inputs.map(port => port.name)).toEqual(inputs.map(port => port.name));
      expect(Object.keys(shown.config.properties as JsonObject)).toEqual(
        Object.keys(config.properties as JsonObject)
      );
    }
  });

  it('are the only ones that do', () => {
    const [ours] = types as [NodeType];
    for (const source of [
      { kind: 'pack', name: 'acme-nodes 1.0' },
      { kind: 'cell', name: 'cell.chart' },
      { kind: 'file', name: 'iaiflow-lab' }
    ]) {
      const theirs = { ...ours, source };
      expect(localized(theirs, speaks)).toBe(theirs);
    }
  });
});

describe('translator', () => {
  it('knows Vietnamese by every spelling of its code', () => {
    for (const language of ['vi', 'vi-VN', 'vi_VN', 'VI']) {
      expect(translator(language)('Run all')).toBe(catalog['Run all']);
    }
  });

  it('falls back to English', () => {
    expect(translator('fr')('Run all')).toBe('Run all');
    expect(translator('')('No such message {n}', { n: 3 })).toBe('No such message 3');
  });

  it('never takes a message for a property of objects', () => {
    expect(translator('vi')('constructor')).toBe('constructor');
    expect(translator('en')('{toString}', {})).toBe('{toString}');
  });
});
