/** Pictures that go with a question. */
import type { Attachment } from '../../core/chat';
import type { Trans } from '../../core/i18n';
import { byteSize, visible } from '../../core/text';

type Image = Attachment & { readonly kind: 'image' };

export const PICTURE_TYPES: readonly string[] = [
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp'
];
/** Bytes of one picture, and of all that go with a question. */
const LARGEST = 5_000_000;
const TOGETHER = 6_000_000;

/** Whether it can be shown: data of a kind that runs nothing. */
export function isPicture({ media_type, data }: Image): boolean {
  return PICTURE_TYPES.includes(media_type) && /^[A-Za-z0-9+/]+={0,2}$/.test(data);
}

export interface Taken {
  readonly images: readonly Image[];
  /** Why others were not taken; "": all were. */
  readonly fault: string;
}

/** Read files as pictures, as far as there is room beside what is attached. */
export async function readPictures(
  files: readonly File[],
  attached: readonly Attachment[],
  trans: Trans
): Promise<Taken> {
  const images: Image[] = [];
  let room = TOGETHER - attached.reduce((sum, one) => sum + bytesOf(one), 0);
  let fault = '';
  for (const file of files) {
    const name = visible(file.name) || trans('Picture');
    if (!PICTURE_TYPES.includes(file.type)) {
      fault = trans('{name} is no picture (PNG, JPEG, GIF, WebP); attach it as a file instead.', {
        name
      });
    } else if (file.size > Math.min(LARGEST, room)) {
      const most = byteSize(file.size > LARGEST ? LARGEST : TOGETHER);
      fault =
        file.size > LARGEST
          ? trans('{name} is larger than {most}; make it smaller.', { name, most })
          : trans('Pictures of one question have at most {most} together.', { most });
    } else {
      const data = await base64(file).catch(() => '');
      if (data) {
        room -= file.size;
        images.push({ kind: 'image', name: file.name || name, media_type: file.type, data });
      } else {
        fault = trans('{name} could not be read; attach it again.', { name });
      }
    }
  }
  return { images, fault };
}

function bytesOf(attachment: Attachment): number {
  return attachment.kind === 'image' ? (attachment.data.length * 3) / 4 : 0;
}

async function base64(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const parts: string[] = [];
  const step = 0x8000; // arguments of one call
  for (let at = 0; at < bytes.length; at += step) {
    parts.push(String.fromCharCode(...bytes.subarray(at, at + step)));
  }
  return btoa(parts.join(''));
}
