/** A form from JSON Schema, for hosts without one. */
import type { Json, JsonObject } from '../core/flow';
import type { Trans } from '../core/i18n';
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
function shapeOf({ schema, secrets }: FormProps): string {
  return JSON.stringify([schema, secrets]);
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
  private readonly note = document.createElement('p');
  private readonly trouble = document.createElement('p');
  private fault = '';

  constructor(
    private readonly name: string,
    schema: JsonObject,
    private props: FormProps,
    private readonly trans: Trans
  ) {
    this.field = makeField({ schema, secrets: props.secrets, trans });
    this.element.className = 'iai-field';
    this.lay(typeof schema.description === 'string' ? schema.description : '');
    this.field.input.addEventListener('input', () => this.changed());
    this.update(props);
  }

  update(props: FormProps): void {
    this.props = props;
    const wired = props.wired.includes(this.name);
    this.field.input.disabled = props.readOnly || wired;
    this.note.textContent = wired ? this.trans('Wired: an edge gives this value.') : '';
    if (this.fault === '' && !this.holds(props.value[this.name])) {
      this.field.show(props.value[this.name]);
    }
    this.tell();
  }

  private lay(help: string): void {
    lastId += 1;
    const { input } = this.field;
    input.id = `iai-field-${lastId}`;
    input.classList.add('iai-input');
    input.setAttribute('aria-describedby', `${input.id}-about`);
    const label = document.createElement('label');
    label.htmlFor = input.id;
    label.textContent = this.name;
    const about = document.createElement('div');
    about.id = `${input.id}-about`;
    about.className = 'iai-muted';
    const text = document.createElement('p');
    text.textContent = help;
    this.trouble.className = 'iai-field-problem';
    about.append(text, this.note, this.trouble);
    this.element.append(label, input, about);
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
