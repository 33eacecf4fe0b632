/** Strings through JupyterLab's translator, with our own translations behind it. */
import type { ITranslator } from '@jupyterlab/translation';
import { translator, type Trans } from '../core/i18n';

/** Domain of language packs. */
const DOMAIN = 'iaiflow_lab';

/** BCP 47 from JupyterLab's `vi_VN`. */
export function languageOf(jupyter: ITranslator): string {
  return (jupyter.languageCode || 'en').replace('_', '-');
}

/** A language pack's word comes first, then our own. */
export function labTranslator(jupyter: ITranslator): Trans {
  const bundle = jupyter.load(DOMAIN);
  const own = translator(languageOf(jupyter));
  return (message, values) => {
    const translated = message ? bundle.__(message) : '';
    return own(translated === '' ? message : translated, values);
  };
}
