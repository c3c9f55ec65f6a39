import js from '@eslint/js';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

/** Colours and font sizes come from Grafana's theme, or a page looks wrong in one of the two. */
const COLOUR = String.raw`/(#([0-9a-f]{3}){1,2}\b|#[0-9a-f]{8}\b|\b(rgb|hsl|hwb|lab|lch|oklch)a?\()/i`;
const PIXEL_FONT = String.raw`/^\d+(\.\d+)?(px|pt|rem|em)$/`;
const THEME_ONLY = 'Take it from the theme (useStyles2), so that it is right in light and dark.';

export default tseslint.config(
  { ignores: ['**/node_modules/', '**/dist/', '.gatelens/', 'coverage/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-console': 'error',
    },
  },
  {
    // The process environment has one reader, so that every setting is in the schema and in docs/configuration.md.
    files: ['gateway/src/**/*.ts'],
    ignores: [
      'gateway/src/cli.ts',
      'gateway/src/cli/**',
      'gateway/src/**/*.test.ts',
      'gateway/src/store/embedded/child.ts',
    ],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Read the environment in cli.ts and pass it to loadConfig().' },
      ],
    },
  },
  {
    files: ['grafana-plugin/src/**/*.{ts,tsx}', 'grafana-plugin/preview/host/**/*.{ts,tsx}'],
    plugins: { 'react-hooks': reactHooks },
    rules: {
      'react-hooks/rules-of-hooks': 'error',
      'react-hooks/exhaustive-deps': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: `Literal[value=${COLOUR}]`, message: THEME_ONLY },
        { selector: `TemplateElement[value.raw=${COLOUR}]`, message: THEME_ONLY },
        {
          selector: `Property[key.name=/^(font|fontSize|lineHeight)$/] > Literal[value=${PIXEL_FONT}]`,
          message: THEME_ONLY,
        },
        { selector: 'Property[key.name=fontSize] > Literal[raw=/^[0-9]/]', message: THEME_ONLY },
        {
          selector: 'JSXAttribute[name.name=dangerouslySetInnerHTML]',
          message: 'Payloads are shown as text, never as markup.',
        },
      ],
      // Grafana's own types and React's event handlers are full of these
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['**/*.test.ts', '**/*.test.tsx', 'gateway/test/**/*.ts', 'benchmarks/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/require-await': 'off',
      'no-console': 'off',
    },
  },
  {
    files: ['**/*.mjs', '**/*.js', '**/*.cjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
        setInterval: 'readonly',
        clearTimeout: 'readonly',
        clearInterval: 'readonly',
        URL: 'readonly',
        module: 'writable',
        require: 'readonly',
        fetch: 'readonly',
        performance: 'readonly',
      },
    },
  }
);
