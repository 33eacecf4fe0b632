/** Numbers as people read them; units are symbols, so that they need no translation. */

/** A span of time: `84 ms`, `1.2 s`, `2 min 05 s`, `1 h 02 min`. */
export function duration(seconds: number): string {
  if (seconds < 0.9995) {
    return `${Math.round(Math.max(0, seconds) * 1000)} ms`;
  }
  if (seconds < 59.95) {
    return `${seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  }
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  const two = (value: number): string => String(value).padStart(2, '0');
  return hours > 0 ? `${hours} h ${two(minutes)} min` : `${minutes} min ${two(whole % 60)} s`;
}

/** A moment as the reader's language writes it. */
export function moment(seconds: number, language: string): string {
  const date = new Date(seconds * 1000);
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' }).format(
    date
  );
}

/** The time of day, to the millisecond. */
export function clock(seconds: number, language: string): string {
  return new Intl.DateTimeFormat(language, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
    hour12: false
  }).format(new Date(seconds * 1000));
}
