/** Height from an element's top to the bottom of the window, so that a list fills the page and scrolls inside. */
import { useLayoutEffect, useRef, useState, type RefObject } from 'react';

const BOTTOM_PX = 16;
const LEAST_PX = 360;

export function useRemainingHeight<T extends HTMLElement>(): [RefObject<T | null>, number] {
  const ref = useRef<T>(null);
  const [height, setHeight] = useState(LEAST_PX);
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return undefined;
    const measure = () => {
      const top = element.getBoundingClientRect().top + window.scrollY;
      setHeight(Math.max(LEAST_PX, Math.floor(window.innerHeight - top - BOTTOM_PX)));
    };
    measure();
    window.addEventListener('resize', measure);
    // what stands above may grow, e.g. when pills wrap
    const observer = new ResizeObserver(measure);
    for (let above = element.previousElementSibling; above !== null; above = above.previousElementSibling) {
      observer.observe(above);
    }
    return () => {
      window.removeEventListener('resize', measure);
      observer.disconnect();
    };
  }, []);
  return [ref, height];
}
