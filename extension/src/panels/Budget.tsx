/** What the models of a run may take together: asked for before it is queued, and told of it. */
import type { Budget, Run } from '../api/types';
import { costText, tokenText } from '../core/agentTrace';
import type { Trans } from '../core/i18n';
import { useHost } from './host';
import { Text } from './Text';

/** Limits as they are typed; "": none. */
export type BudgetTexts = Readonly<Record<keyof Budget, string>>;

export const NO_BUDGET: BudgetTexts = { cost: '', tokens: '', calls: '' };

export function textsOfBudget(budget: Budget | null): BudgetTexts {
  const { cost = '', tokens = '', calls = '' } = budget ?? {};
  return { cost: String(cost), tokens: String(tokens), calls: String(calls) };
}

/** What is left empty is not limited; null: nothing is. */
export function readBudget({ cost, tokens, calls }: BudgetTexts): Budget | null {
  const limits = Object.entries({ cost, tokens, calls }).filter(([, text]) => text.trim());
  const budget = Object.fromEntries(limits.map(([name, text]) => [name, Number(text)]));
  return limits.length > 0 ? budget : null;
}

interface Props {
  readonly value: BudgetTexts;
  onChange(value: BudgetTexts): void;
}

export function BudgetFields({ value, onChange }: Props) {
  const { trans } = useHost();
  const fields: readonly (readonly [keyof Budget, string])[] = [
    ['cost', trans('Dollars')],
    ['tokens', trans('Tokens')],
    ['calls', trans('Calls')]
  ];
  return (
    <fieldset className="iai-Panel-fields">
      <legend>{trans('What its models may take together')}</legend>
      {fields.map(([name, label]) => (
        <Text
          key={name}
          label={label}
          value={value[name]}
          placeholder={trans('No limit')}
          onChange={text => onChange({ ...value, [name]: text })}
        />
      ))}
    </fieldset>
  );
}

/** What the models of a run took, and may take. */
export function Spending({ run }: { readonly run: Run }) {
  const { trans, language } = useHost();
  const { tokens, cost, budget } = run;
  const lines = [
    (tokens || cost) &&
      trans('Models took: {amounts}', {
        amounts: amounts(
          { ...(cost ? { cost } : {}), ...(tokens ? { tokens } : {}) },
          trans,
          language
        )
      }),
    budget && trans('Models may take: {amounts}', { amounts: amounts(budget, trans, language) })
  ];
  return lines.filter(Boolean).map((line, index) => (
    <p key={index} className="iai-Panel-quiet">
      {line}
    </p>
  ));
}

function amounts({ cost, tokens, calls }: Budget, trans: Trans, language: string): string {
  const number = new Intl.NumberFormat(language);
  const parts = [
    cost === undefined ? '' : costText(cost, 'USD', language),
    tokens === undefined ? '' : trans('{count} tokens', { count: tokenText(tokens, language) }),
    calls === undefined ? '' : trans('calls: {count}', { count: number.format(calls) })
  ];
  return parts.filter(Boolean).join(', ');
}
