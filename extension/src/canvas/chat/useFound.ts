/** What the kernel finds while a person types what is looked for. */
import { useEffect, useRef, useState } from 'react';

/** Milliseconds without a key after which it is looked for. */
const PAUSE = 150;

/** What was found, null until the kernel says; and why nothing was. What was found last stays. */
export function useFound<T>(
  find: () => Promise<readonly T[]>,
  query: string,
  moment = 0
): readonly [readonly T[] | null, string] {
  const [answer, setAnswer] = useState<readonly [readonly T[] | null, string]>([null, '']);
  const finder = useRef(find);
  const pause = useRef(0);
  useEffect(() => {
    finder.current = find;
  });
  useEffect(() => {
    let current = true;
    const settle = (found: readonly T[], fault: string): void => {
      if (current) {
        setAnswer([found, fault]);
      }
    };
    const timer = setTimeout(() => {
      pause.current = PAUSE;
      finder.current().then(
        found => settle(found, ''),
        (error: unknown) => settle([], error instanceof Error ? error.message : String(error))
      );
    }, pause.current);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [query, moment]);
  return answer;
}
