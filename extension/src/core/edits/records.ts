/** Plain objects as immutable maps. */

/** The same without some keys; the very same when it has none of them. */
export function without<T extends object>(entries: T, keys: ReadonlySet<string>): T {
  if (!Object.keys(entries).some(key => keys.has(key))) {
    return entries;
  }
  return Object.fromEntries(Object.entries(entries).filter(([key]) => !keys.has(key))) as T;
}

/** Only these keys, in their order. */
export function only<T>(
  entries: { readonly [key: string]: T },
  keys: ReadonlySet<string>
): { readonly [key: string]: T } {
  return Object.fromEntries(Object.entries(entries).filter(([key]) => keys.has(key)));
}
