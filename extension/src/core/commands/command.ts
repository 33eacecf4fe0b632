/** One verb of the canvas. */
export interface Command {
  readonly id: string;
  /** In the language of the host. */
  readonly label: string;
  readonly category: string;
  /** Such as `Mod+D`; `Mod` is Command on macOS and Control elsewhere. */
  readonly keys: readonly string[];
  enabled(): boolean;
  /** Why it cannot be done now, where people would wonder; "" when it can. */
  why?(): string;
  run(): void | Promise<void>;
  /** Whether what it switches is on; absent: it switches nothing. */
  toggled?(): boolean;
}
