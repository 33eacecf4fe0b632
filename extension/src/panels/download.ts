/** Files that the browser stores. */
import type { Download } from '../api/client';

/** How long the browser may take to begin, in milliseconds. */
const KEPT_MS = 60_000;

export function store({ name, data }: Download): void {
  const link = document.createElement('a');
  // whatever a document holds, it is stored and not shown
  const address = URL.createObjectURL(new Blob([data], { type: 'application/octet-stream' }));
  link.href = address;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), KEPT_MS);
}
