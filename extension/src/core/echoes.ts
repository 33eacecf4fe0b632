/** Texts that are kept of an editor to which none comes back. */
const MOST = 50;

/**
 * Knows an editor's own texts when they come back to it: what draws it may be a few keys behind, and
 * putting an old text in place would undo those and move the cursor.
 */
export class Echoes {
  /** What the editor said, from the newest on that has come back. */
  private told: readonly string[] = [];

  /** The editor says a text. */
  tell(text: string): void {
    this.told = [...this.told, text].slice(-MOST);
  }

  /** A text comes to the editor: whether it is one of its own, and newer ones are on their way. */
  isOld(text: string): boolean {
    const at = text === this.told.at(-1) ? -1 : this.told.indexOf(text);
    this.told = at < 0 ? [text] : this.told.slice(at);
    return at >= 0;
  }
}
