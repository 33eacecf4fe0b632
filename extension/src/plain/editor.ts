/** Text areas in place of code editors. */
import type { EditorProps, Mounted } from '../core/services';
import { replacement } from '../core/text';

export function mountEditor(element: HTMLElement, props: EditorProps): Mounted<EditorProps> {
  let present = props;
  const area = document.createElement('textarea');
  area.className = 'iai-input iai-textarea';
  area.spellcheck = props.language === 'prompt' || props.language === 'markdown';
  area.addEventListener('input', () => present.onChange(area.value));
  area.addEventListener('keydown', event => {
    if (event.key === 'Escape' || (event.key === 'Enter' && (event.ctrlKey || event.metaKey))) {
      event.preventDefault();
      event.stopPropagation();
      present.onDone?.(event.key === 'Enter');
    }
  });
  const show = (next: EditorProps): void => {
    present = next;
    if (area.value !== next.value) {
      const { start, end, text } = replacement(area.value, next.value);
      area.setRangeText(text, start, end, 'preserve'); // the cursor stays in the rest of the text
    }
    area.readOnly = next.readOnly;
    area.rows = Math.min(20, Math.max(3, next.value.split('\n').length));
    area.setAttribute('aria-label', next.label);
  };
  show(props);
  element.append(area);
  return { update: show, dispose: () => area.remove() };
}
