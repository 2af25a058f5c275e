import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { parseAst } from 'vitest/node';

/** The root of the checkout. */
export const root = join(import.meta.dirname, '../..');

export interface Import {
  /** As written: `../model/index.ts`, `zod`, `node:fs`. */
  readonly from: string;
  /** The repository's path of a relative import; undefined for packages and built-ins. */
  readonly path: string | undefined;
  readonly typesOnly: boolean;
}

export interface Source {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  /** Files started as processes or workers of their own: the first argument of `new URL(..., import.meta.url)`. */
  readonly starts: readonly string[];
  /** Names and members of names that are not its own: `Date`, `Math.random`, `new Date()`. */
  readonly says: ReadonlySet<string>;
  /** Whether every statement is a type or an import or export of types. */
  readonly typesOnly: boolean;
}

/** Every path that is or would be committed, so that what lies around ignored is not looked at. */
export function repositoryPaths(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 16 * 1024 * 1024,
  });
  return [...new Set(listed.split('\0'))].filter((path) => path !== '' && existsSync(join(root, path))).toSorted();
}

/** Reads and parses one TypeScript or JavaScript file. */
export function readSource(path: string): Source {
  return parseSource(path, readFileSync(join(root, path), 'utf8'));
}

/** The same from a text in hand. */
export function parseSource(path: string, text: string): Source {
  const imports: Import[] = [];
  const starts: string[] = [];
  const says = new Set<string>();
  const declares = new Set<string>();
  const program = parseAst(text, { lang: path.endsWith('.ts') ? 'ts' : 'js' }) as unknown as Node;
  walk(program, (node, parent, key) => {
    const source = sourceOf(node);
    if (source !== undefined) imports.push(importOf(path, source, importsTypesOnly(node)));
    const started = startedBy(path, node);
    if (started !== undefined) starts.push(started);
    for (const name of declaredBy(node)) declares.add(name);
    for (const name of saidBy(node, parent, key)) says.add(name);
  });
  for (const name of declares) says.delete(name);
  const statements = program['body'] as readonly Node[];
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  return { path, text, lines, imports, starts, says, typesOnly: statements.every(isTypes) };
}

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}

function walk(node: Node, visit: (node: Node, parent: Node | undefined, key: string) => void): void {
  const open: { node: Node; parent: Node | undefined; key: string }[] = [{ node, parent: undefined, key: '' }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    visit(next.node, next.parent, next.key);
    for (const [key, value] of Object.entries(next.node)) {
      for (const child of Array.isArray(value) ? value : [value]) {
        if (isNode(child)) open.push({ node: child, parent: next.node, key });
      }
    }
  }
}

const importing = new Set([
  'ImportDeclaration',
  'ExportAllDeclaration',
  'ExportNamedDeclaration',
  'ImportExpression',
  'TSImportType',
]);

function sourceOf(node: Node): string | undefined {
  const source = importing.has(node.type) ? node['source'] : undefined;
  return isNode(source) && typeof source['value'] === 'string' ? source['value'] : undefined;
}

function importsTypesOnly(node: Node): boolean {
  if (node.type === 'TSImportType' || node['importKind'] === 'type' || node['exportKind'] === 'type') return true;
  const specifiers = node['specifiers'] as readonly Node[] | undefined;
  const ofType = (one: Node): boolean => one['importKind'] === 'type' || one['exportKind'] === 'type';
  return specifiers !== undefined && specifiers.length > 0 && specifiers.every(ofType);
}

function importOf(importer: string, from: string, typesOnly: boolean): Import {
  return { from, path: from.startsWith('.') ? posix.join(dirname(importer), from) : undefined, typesOnly };
}

/** `new URL('./worker' + extension, import.meta.url)`, also as a template or with the extension written out. */
function startedBy(path: string, node: Node): string | undefined {
  if (node.type !== 'NewExpression' || !isNode(node['callee']) || node['callee']['name'] !== 'URL') return undefined;
  const first = leadingText((node['arguments'] as readonly Node[])[0]);
  if (first === undefined || !/^\.\.?\/./.test(first)) return undefined;
  return `${posix.join(dirname(path), first).replace(/\.[jt]s$/, '')}.ts`;
}

function leadingText(node: Node | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (typeof node['value'] === 'string') return node['value'];
  if (node.type === 'BinaryExpression') return leadingText(node['left'] as Node);
  if (node.type !== 'TemplateLiteral') return undefined;
  const quasi = (node['quasis'] as readonly { value: { cooked?: string } }[])[0];
  return quasi?.value.cooked;
}

/** Keys of objects, members, types and labels are no globals: these are the places where a name is only a name. */
const onlyNames: Readonly<Record<string, readonly string[]>> = {
  Property: ['key'],
  MemberExpression: ['property'],
  MethodDefinition: ['key'],
  PropertyDefinition: ['key'],
  TSPropertySignature: ['key'],
  TSMethodSignature: ['key'],
  TSQualifiedName: ['right'],
  TSEnumMember: ['id'],
  ImportSpecifier: ['imported'],
  ExportSpecifier: ['exported'],
  ImportAttribute: ['key'],
  MetaProperty: ['meta', 'property'],
};

function* saidBy(node: Node, parent: Node | undefined, key: string): Generator<string> {
  if (node.type === 'Identifier' && typeof node['name'] === 'string') {
    const named = parent !== undefined && parent['computed'] !== true && onlyNames[parent.type]?.includes(key) === true;
    if (!named) yield node['name'];
  } else if (node.type === 'MemberExpression' && isNode(node['object']) && isNode(node['property'])) {
    const member = node['computed'] === true ? node['property']['value'] : node['property']['name'];
    if (node['object'].type === 'Identifier') yield `${String(node['object']['name'])}.${String(member)}`;
  } else if (node.type === 'NewExpression' && isNode(node['callee']) && typeof node['callee']['name'] === 'string') {
    if ((node['arguments'] as readonly Node[]).length === 0) yield `new ${node['callee']['name']}()`;
  }
}

/** What a file imports or declares under a global's name is its own, and judged where it comes from. */
function declaredBy(node: Node): readonly string[] {
  if (node.type.startsWith('Import')) return boundBy(node['local']);
  if (node.type === 'VariableDeclarator') return boundBy(node['id']);
  if (!/^(?:Arrow)?Function/.test(node.type)) return [];
  return [node['id'], ...(node['params'] as readonly unknown[])].flatMap(boundBy);
}

/** The names in a pattern: `a`, `{ a, b: c }`, `[a, ...b]`, `a = 1`. */
function boundBy(pattern: unknown): readonly string[] {
  if (!isNode(pattern)) return [];
  if (typeof pattern['name'] === 'string') return [pattern['name']];
  const inside = [pattern['properties'], pattern['elements'], pattern['value'], pattern['argument'], pattern['left']];
  return inside.flat().flatMap(boundBy);
}

function isTypes(statement: Node): boolean {
  if (statement.type === 'TSInterfaceDeclaration' || statement.type === 'TSTypeAliasDeclaration') return true;
  if (statement.type === 'ExportNamedDeclaration' && isNode(statement['declaration'])) {
    return isTypes(statement['declaration']);
  }
  return importing.has(statement.type) && importsTypesOnly(statement);
}
