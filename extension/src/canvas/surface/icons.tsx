/** Small drawings, 16 units wide, in the colour of the text. */

const CATEGORIES: Readonly<Record<string, { readonly tint: number; readonly path: string }>> = {
  Tables: { tint: 1, path: 'M2.5 3.5h11v9h-11zM2.5 6.5h11M2.5 9.5h11M6.5 6.5v6' },
  Control: { tint: 5, path: 'M3 8h3.5M6.5 8l3-4H13M6.5 8l3 4H13M11 2l2 2-2 2M11 10l2 2-2 2' },
  Files: { tint: 6, path: 'M4 2h5l3 3v9H4zM9 2v3h3M6 8.5h4M6 11h4' },
  Web: {
    tint: 0,
    path: 'M8 2a6 6 0 1 0 0 12A6 6 0 1 0 8 2M2 8h12M8 2c-4.5 4-4.5 8 0 12M8 2c4.5 4 4.5 8 0 12'
  },
  Text: { tint: 2, path: 'M3 4V3h10v1M8 3v10M6 13h4' },
  Code: { tint: 3, path: 'M5.5 4.5L2 8l3.5 3.5M10.5 4.5L14 8l-3.5 3.5M9 3L7 13' },
  AI: { tint: 4, path: 'M8 2l1.6 4.4L14 8l-4.4 1.6L8 14l-1.6-4.4L2 8l4.4-1.6z' },
  Agents: { tint: 4, path: 'M4 6h8v7H4zM8 6V3M6.5 9v1M9.5 9v1M2.5 8.5v2M13.5 8.5v2' },
  Memory: {
    tint: 7,
    path: 'M8 2.5c3 0 5 .8 5 2s-2 2-5 2-5-.8-5-2 2-2 5-2M3 4.5v7c0 1.2 2 2 5 2s5-.8 5-2v-7M3 8c0 1.2 2 2 5 2s5-.8 5-2'
  },
  Notebook: { tint: 3, path: 'M4 2h9v12H4zM6.5 2v12M2.5 5H4M2.5 8H4M2.5 11H4' }
};
const OTHER = { tint: 7, path: 'M8 2l5.2 3v6L8 14l-5.2-3V5zM8 8l5.2-3M8 8v6M8 8L2.8 5' };

function look(category: string): { readonly tint: number; readonly path: string } {
  return Object.hasOwn(CATEGORIES, category) ? (CATEGORIES[category] ?? OTHER) : OTHER;
}

/** Which of the tints a category has: `--iai-tint-N`. */
export function tintOf(category: string): number {
  return look(category).tint;
}

export function CategoryIcon({ category }: { readonly category: string }) {
  return <Drawing path={look(category).path} />;
}

export function Drawing({ path, size = 16 }: { readonly path: string; readonly size?: number }) {
  return (
    <svg className="iai-drawing" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

/** Signs of the surface itself. */
export const SIGNS = {
  pin: 'M6 2h4M7 2v4L5 9h6L9 6V2M8 9v5',
  warning: 'M8 2.5L14 13H2zM8 6.5v3M8 11v.8',
  body: 'M2.5 3.5h11v9h-11zM8.5 8h3M10 6.5L11.5 8 10 9.5',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  grid: 'M3 3h.1M8 3h.1M13 3h.1M3 8h.1M8 8h.1M13 8h.1M3 13h.1M8 13h.1M13 13h.1',
  map: 'M2.5 3.5h11v9h-11zM8.5 8.5h3v2.5h-3z',
  cross: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
  params: 'M3 4.5h6M12 4.5h1M3 11.5h1M7 11.5h6M9 3v3h3V3zM4 10v3h3v-3z'
} as const;
