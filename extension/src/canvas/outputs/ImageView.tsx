/** A picture from bytes. It is loaded as an image, in which no script runs. */
import { useEffect, useState } from 'react';
import type { Services } from '../../core/services';
import { byteSize } from '../../core/text';

interface Props {
  /** Media type. */
  readonly type: string;
  readonly bytes: DataView;
  readonly label: string;
  readonly services: Services;
}

const PICTURES = /^image\/(png|jpeg|gif|webp|bmp|avif|svg\+xml)$/;

export function ImageView({ type, bytes, label, services }: Props) {
  const [url, setUrl] = useState('');
  useEffect(() => {
    // A data URL: an SVG opened by its blob URL would run scripts with this page's rights.
    const reader = new FileReader();
    reader.onload = () => setUrl(String(reader.result));
    reader.readAsDataURL(new Blob([bytes as DataView<ArrayBuffer>], { type }));
    return () => {
      reader.onload = null;
      reader.abort();
    };
  }, [type, bytes]);
  if (!PICTURES.test(type)) {
    const size = byteSize(bytes.byteLength);
    return <p className="iai-muted">{services.trans('{type}, {size}', { type, size })}</p>;
  }
  return url ? <img className="iai-image" src={url} alt={label} /> : null;
}
