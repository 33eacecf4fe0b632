/** A form from JSON Schema, for hosts without one. */
import type { Json, JsonObject } from '../core/flow';
import type { Trans } from '../core/i18n';
import { namedParameter } from '../core/edits/sources';
import type { FormProps, Mounted } from '../core/services';
import { makeField, type Field } from './field';

/** Show a form with one field per property of the schema. */
export function mountForm(
  element: HTMLElement,
  props: FormProps,
  trans: Trans
): Mounted<FormProps> {
  const form = document.createElement('div');
  form.className = 'iai-form';
  element.append(form);
  let rows = build(form, props, trans);
  let present = props;
  return {
    update: next => {
      if (shapeOf(next) !== shapeOf(present)) {
        form.replaceChildren();
        rows = build(form, next, trans);
      }
      present = next;
      rows.forEach(row => row.update(next));
    },
    dispose: () => form.remove()
  };
}

/** What the fields themselves are made of: while it is the same they keep focus and caret. */
function shapeOf({ schema, secrets, sources }: FormProps): string {
  return JSON.stringify([schema, secrets, sources?.parameters]);
}

let lastId = 0;

function build(form: HTMLElement, props: FormProps, trans: Trans): Row[] {
  const properties = (props.schema.properties ?? {}) as { readonly [name: string]: JsonObject };
  const rows = Object.entries(properties).map(
    ([name, schema]) => new Row(name, schema, props, trans)
  );
  form.append(...rows.map(row => row.element));
  return rows;
}

/** One field with its label, its help and its problems. */
class Row {
  readonly element = document.createElement('div');
  private readonly field: Field;
  private readonly source = document.createElement('select');
  private readonly note = document.createElement('p');
  private readonly trouble = document.createElement('p');
  private fault = '';

  constructor(
    private readonly name: string,
    schema: JsonObject,
    private props: FormProps,
    private readonly trans: Trans
  ) {
    this.field = makeField({ schema, secrets: props.secrets, parameters: this.offered, trans });
    this.element.className = 'iai-field';
    this.lay(schema);
    this.field.input.addEventListener('input', () => this.changed());
    this.source.addEventListener('change', () => this.choose(this.source.value));
    this.update(props);
  }

  update(props: FormProps): void {
    this.props = props;
    const source = props.wired[this.name] ?? '';
    this.field.input.disabled = props.readOnly || source !== '';
    this.note.textContent = source ? this.trans('Comes from {source}.', { source }) : '';
    this.offer(source);
    if (this.fault === '' && !this.holds(props.value[this.name])) {
      this.field.show(props.value[this.name]);
    }
    this.tell();
  }

  private get offered(): readonly string[] {
    return this.props.sources?.parameters[this.name] ?? [];
  }

  private lay({ title, description }: JsonObject): void {
    lastId += 1;
    const { input, beside } = this.field;
    const name = typeof title === 'string' ? title : this.name;
    input.id = `iai-field-${lastId}`;
    input.classList.add('iai-input');
    input.setAttribute('aria-describedby', `${input.id}-about`);
    const label = document.createElement('label');
    label.htmlFor = input.id;
    label.textContent = name;
    this.source.className = 'iai-field-source';
    this.source.setAttribute('aria-label', this.trans('Where {name} comes from', { name }));
    const about = document.createElement('div');
    about.id = `${input.id}-about`;
    about.className = 'iai-muted';
    const text = document.createElement('p');
    text.textContent = typeof description === 'string' ? description : '';
    this.trouble.className = 'iai-field-problem';
    about.append(text, this.note, this.trouble);
    this.element.append(label, this.source, input, ...(beside ? [beside] : []), about);
  }

  /** Offer what may feed the field besides what is written in it. */
  private offer(present: string): void {
    const offered = this.offered.map(name => `params.${name}`);
    const sources = [...new Set(present ? [present, ...offered] : offered)];
    const choice = (value: string, label: string): HTMLOptionElement => {
      const made = document.createElement('option');
      made.value = value;
      made.textContent = label;
      return made;
    };
    this.source.hidden = !this.props.sources || sources.length === 0;
    this.source.disabled = this.props.readOnly;
    this.source.replaceChildren(
      choice('', this.trans('Written here')),
      ...sources.map(source => choice(source, source))
    );
    this.source.value = present;
  }

  private choose(source: string): void {
    this.fault = '';
    this.props.sources?.choose(this.name, source === '' ? null : source.slice('params.'.length));
  }

  /** Whether the input says this value already, perhaps in other words (`1.0`). */
  private holds(value: Json | undefined): boolean {
    try {
      return JSON.stringify(this.field.read()) === JSON.stringify(value);
    } catch {
      return false;
    }
  }

  private changed(): void {
    const { input } = this.field;
    const parameter = input instanceof HTMLInputElement ? namedParameter(input.value) : '';
    if (input.inputMode === 'decimal' && this.offered.includes(parameter)) {
      this.choose(`params.${parameter}`);
      return;
    }
    try {
      const value = this.field.read();
      this.fault = '';
      this.props.onChange(this.name, value);
    } catch (error) {
      this.fault = error instanceof Error ? error.message : String(error);
    }
    this.tell();
  }

  private tell(): void {
    const found = this.props.problems.filter(problem => problem.field === this.name);
    const texts = [this.fault, ...found.map(problem => `${problem.message} ${problem.remedy}`)];
    this.trouble.textContent = texts.filter(Boolean).join(' ');
    this.field.input.setAttribute('aria-invalid', String(this.trouble.textContent !== ''));
  }
}
