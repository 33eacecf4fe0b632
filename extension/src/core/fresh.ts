/** New names: made from other texts, and still free. */
import { PARAMS } from './flow';
import { isName } from './names';

/** A name made of `text` that suits nodes, ports, parameters and Python alike. */
export function nameFrom(text: string, fallback: string): string {
  const plain = text
    .replace(/[đĐ]/g, 'd')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[_0-9]+/, '')
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
    name = `${base.slice(0, 58)}${number}`;
  }
  return name;
}
