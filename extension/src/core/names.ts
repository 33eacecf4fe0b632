/** Names in flows: which ones are allowed, and new ones that are still free. */
import { PARAMS } from './flow';

const NODE_ID = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;
const IDENTIFIER = /^[\p{XID_Start}_]\p{XID_Continue}*$/u;
const KEYWORDS = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except ' +
    'finally for from global if import in is lambda nonlocal not or pass raise return try while ' +
    'with yield'
  ).split(' ')
);

/** Whether `id` can name a node. */
export function isNodeId(id: string): boolean {
  return id !== PARAMS && NODE_ID.test(id);
}

/** Whether `name` can name a port, parameter or output: a Python name, not a keyword. */
export function isName(name: string): boolean {
  return IDENTIFIER.test(name) && !KEYWORDS.has(name) && name.normalize('NFKC') === name;
}

/** A name made of `text` that suits nodes, ports, parameters and Python alike. */
export function nameFrom(text: string, fallback: string): string {
  const plain = text
    .replace(/[đĐ]/g, 'd')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[_0-9]+|_+$/g, '')
    .slice(0, 48)
    .replace(/_+$/, '');
  if (!plain || plain === PARAMS) {
    return fallback;
  }
  return isName(plain) ? plain : `${plain}_`;
}

/** `base`, `base2`, `base3`, ...: the first that is not taken. */
export function freeName(base: string, isTaken: (name: string) => boolean): string {
  let name = base;
  for (let number = 2; isTaken(name); number++) {
    name = `${base.slice(0, 60)}${number}`;
  }
  return name;
}
