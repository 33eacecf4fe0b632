/**
 * What a host lends to the canvas. All of it works on DOM elements, so that hosts may use another
 * copy of React, or none. JupyterLab's services are `lab/services.ts`; `plain/services.ts` serves
 * hosts that offer nothing (VS Code, Colab, marimo, a plain page).
 */
import type { Json, JsonObject } from './flow';
import type { Bundle, Problem } from './protocol';

/** Something shown in an element of the page until it is disposed. */
export interface Mounted<Props> {
  update(props: Props): void;
  dispose(): void;
}

export interface FieldSources {
  /** The parameters that fit, by field. */
  readonly parameters: Readonly<Record<string, readonly string[]>>;
  /** Feed a field from a parameter; null: from nothing any more. */
  choose(field: string, parameter: string | null): void;
}

export interface FormProps {
  readonly schema: JsonObject;
  readonly value: JsonObject;
  /** What is wired to fields, by field: `load.out`; they show it and cannot be written. */
  readonly wired: Readonly<Record<string, string>>;
  /** Fields that may take a parameter in place of a written value; left out: none may. */
  readonly sources?: FieldSources;
  readonly readOnly: boolean;
  /** Problems of this node; those with a `field` are shown on it. */
  readonly problems: readonly Problem[];
  /** Names that a secret picker offers. */
  readonly secrets: readonly string[];
  /** Names that templates and expressions may use, for completion. */
  readonly names: readonly string[];
  onChange(field: string, value: Json | undefined): void;
}

export type EditorLanguage =
  'python' | 'sql' | 'markdown' | 'prompt' | 'json' | 'expression' | 'text';

export interface EditorProps {
  readonly language: EditorLanguage;
  readonly value: string;
  readonly readOnly: boolean;
  /** For screen readers. */
  readonly label: string;
  readonly names?: readonly string[];
  onChange(value: string): void;
  /** Ctrl+Enter, or Escape, which does not ask to keep it: the person is done. */
  onDone?(keep: boolean): void;
}

export interface OutputProps {
  readonly bundle: Bundle;
  /** Whether this kernel made it now: only then may it be interactive. */
  readonly trusted: boolean;
}

export interface Services {
  readonly kind: 'lab' | 'plain';
  /** BCP 47, e.g. `en` or `vi`. */
  readonly language: string;
  /** Translate a message of our catalog; `{name}` is replaced from `values`. */
  trans(message: string, values?: Readonly<Record<string, string | number>>): string;
  mountForm(element: HTMLElement, props: FormProps): Mounted<FormProps>;
  mountEditor(element: HTMLElement, props: EditorProps): Mounted<EditorProps>;
  mountOutput(element: HTMLElement, props: OutputProps): Mounted<OutputProps>;
  /** Show Markdown in an element, in place of what is in it; nothing of it may act or be fetched. */
  showMarkdown(element: HTMLElement, text: string): void;
  /** Show a widget of the notebook by its model id; null: this host cannot. */
  mountWidget(element: HTMLElement, modelId: string): Promise<Mounted<void> | null>;
  /** Put code into a new cell below; false: there is no notebook here. */
  insertCell(code: string): boolean;
  /**
   * Replace the source of the notebook cell that says `was`, this canvas's own before others; false:
   * no cell or more than one says it.
   */
  replaceCell(element: HTMLElement, was: string, code: string): boolean;
  /** Open a file of the workspace in an editor of its own; null: this host cannot. */
  readonly openFile: ((path: string) => void) | null;
  /** Open a file by its whole path on the kernel's machine; null: this host cannot. */
  readonly openWorkspaceFile: ((path: string) => void) | null;
  /** Open the text of the canvas's own document in an editor; null: this host cannot. */
  readonly openText: (() => void) | null;
  /** Talk with an agent node of a flow's file; null: this host cannot. */
  readonly openChat: ((flow: string, node: string) => void) | null;
  /** A message that does not interrupt. */
  notify(message: string, kind: 'info' | 'success' | 'warning' | 'error'): void;
  copy(text: string): Promise<void>;
  paste(): Promise<string>;
}
