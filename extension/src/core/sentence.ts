/** What a person is told: an English sentence, and the values to be put into it. */

export type Values = Readonly<Record<string, string | number>>;

export interface Sentence {
  /** The key of the translation; `{name}` stands for a value. */
  readonly message: string;
  readonly values: Values;
}

export function sentence(message: string, values: Values = {}): Sentence {
  return { message, values };
}

/** Put the values into an English sentence. */
export function filled({ message, values }: Sentence): string {
  return message.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? String(values[name]) : whole
  );
}

/** An edit that cannot be done, with the reason for people. */
export class EditError extends Error {
  override readonly name = 'EditError';
  readonly sentence: Sentence;

  constructor(message: string, values: Values = {}) {
    const said = sentence(message, values);
    super(filled(said));
    this.sentence = said;
  }
}
