/** Words to find in the metadata. Waits for a pause in typing; Enter does not wait. `/` anywhere on the page comes here. */
import { Icon, IconButton, Input } from '@grafana/ui';
import { useEffect, useRef, useState } from 'react';
import { isTyping } from './key-target.ts';

interface SearchBoxProps {
  readonly value: string;
  readonly onChange: (text: string) => void;
}

const PAUSE_MS = 350;
/** as the audit API takes it */
const MAX_CHARS = 200;

export function SearchBox({ value, onChange }: SearchBoxProps) {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(value);
  const [seen, setSeen] = useState(value);
  if (seen !== value) {
    // changed from outside: back button, cleared filters
    setSeen(value);
    setText(value);
  }
  useSlash(input);
  useEffect(() => {
    if (text.trim() === value) return undefined;
    const timer = setTimeout(() => onChange(text.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text, value, onChange]);
  return (
    <Input
      ref={input}
      width={40}
      value={text}
      maxLength={MAX_CHARS}
      aria-label="Search metadata"
      placeholder="Search metadata"
      prefix={<Icon name="search" />}
      suffix={
        text === '' ? (
          <kbd>/</kbd>
        ) : (
          <IconButton name="times" size="sm" aria-label="Clear the search" onClick={() => onChange('')} />
        )
      }
      onChange={(event) => setText(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') onChange(text.trim());
        if (event.key === 'Escape') event.currentTarget.blur();
      }}
    />
  );
}

function useSlash(input: React.RefObject<HTMLInputElement | null>): void {
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    document.addEventListener('keydown', focus);
    return () => document.removeEventListener('keydown', focus);
  }, [input]);
}
