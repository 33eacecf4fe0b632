/** JupyterLab's code editor in an element of the canvas. */
import { autocompletion, type CompletionContext } from '@codemirror/autocomplete';
import type { Extension } from '@codemirror/state';
import { EditorView, placeholder } from '@codemirror/view';
import { CodeEditor, type IEditorServices } from '@jupyterlab/codeeditor';
import { Echoes } from '../core/echoes';
import type { EditorLanguage, EditorProps, Mounted } from '../core/services';
import { replacement } from '../core/text';

const MIME: Readonly<Record<EditorLanguage, string>> = {
  python: 'text/x-python',
  sql: 'text/x-sql',
  markdown: 'text/x-markdown',
  prompt: 'text/x-markdown',
  json: 'application/json',
  expression: 'text/x-python',
  text: 'text/plain'
};
/** Languages in which names stand inside of `{{ }}`. */
const TEMPLATES: ReadonlySet<EditorLanguage> = new Set(['prompt']);

export function mountEditor(
  services: IEditorServices,
  element: HTMLElement,
  props: EditorProps,
  hint = ''
): Mounted<EditorProps> {
  let present = props;
  const echoes = new Echoes();
  const model = new CodeEditor.Model({ mimeType: MIME[props.language] });
  model.sharedModel.setSource(props.value);
  const editor = services.factoryService.newInlineEditor({
    host: element,
    model,
    config: {
      lineNumbers: props.language === 'python' || props.language === 'sql',
      lineWrap: true,
      readOnly: props.readOnly
    },
    extensions: [
      completion(() => present),
      description(props.label),
      ...(hint ? [placeholder(hint)] : [])
    ]
  });
  element.classList.add('iai-CodeEditor');
  const changed = (): void => {
    const value = model.sharedModel.getSource();
    if (value !== present.value) {
      present = { ...present, value };
      echoes.tell(value);
      present.onChange(value);
    }
  };
  model.sharedModel.changed.connect(changed);
  const pressed = (event: KeyboardEvent): void => done(event, present);
  element.addEventListener('keydown', pressed, true);
  return {
    update: given => {
      const shown = model.sharedModel.getSource();
      const next = echoes.isOld(given.value) ? { ...given, value: shown } : given;
      if (next.value !== shown) {
        present = { ...present, value: next.value };
        // The cursor stays where it is in the rest of the text.
        const { start, end, text } = replacement(shown, next.value);
        model.sharedModel.updateSource(start, end, text);
      }
      if (next.readOnly !== present.readOnly) {
        editor.setOption('readOnly', next.readOnly);
      }
      present = next;
    },
    dispose: () => {
      element.removeEventListener('keydown', pressed, true);
      editor.dispose();
      model.dispose();
      element.replaceChildren();
    }
  };
}

function description(label: string): Extension {
  return EditorView.contentAttributes.of({ 'aria-label': label });
}

function done(event: KeyboardEvent, props: EditorProps): void {
  const finished = event.key === 'Enter' && (event.ctrlKey || event.metaKey);
  if (props.onDone && (finished || event.key === 'Escape')) {
    event.preventDefault();
    event.stopPropagation();
    props.onDone(finished);
  }
}

/** Completion of the names that templates, expressions and queries may use. */
function completion(props: () => EditorProps): Extension {
  const complete = (context: CompletionContext) => {
    const { names = [], language } = props();
    const word = context.matchBefore(/[\w.]*/);
    const before = context.state.sliceDoc(0, word?.from ?? context.pos);
    if (TEMPLATES.has(language) && !/\{\{\s*[^}]*$/.test(before)) {
      return null;
    }
    if (!names.length || !word || (word.from === word.to && !context.explicit)) {
      return null;
    }
    const options = names.map(label => ({ label, type: 'variable' }));
    return { from: word.from, options, validFor: /^[\w.]*$/ };
  };
  return autocompletion({ override: [complete] });
}
