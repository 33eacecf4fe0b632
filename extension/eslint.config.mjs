import react from 'eslint-plugin-react';
import hooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['lib', 'labextension', 'node_modules', 'testpage/dist', '*.mjs'] },
  ...tseslint.configs.strict,
  {
    files: ['src/**/*.{ts,tsx}', 'tests/**/*.{ts,tsx}'],
    plugins: { react, 'react-hooks': hooks },
    settings: { react: { version: '18.2' } },
    rules: {
      ...hooks.configs.recommended.rules,
      // Whatever a node, a file or a person wrote reaches the page as text or through the sanitizer.
      'react/no-danger': 'error',
      'react/jsx-no-target-blank': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: "AssignmentExpression[left.property.name='innerHTML']",
          message: 'Use text or the sanitizer.'
        },
        {
          selector: "CallExpression[callee.property.name='insertAdjacentHTML']",
          message: 'Use text or the sanitizer.'
        }
      ],
      'no-eval': 'error',
      'no-implied-eval': 'error',
      eqeqeq: 'error'
    }
  },
  {
    // The core runs anywhere: it knows neither React nor Jupyter.
    files: ['src/core/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            'react',
            'react-dom',
            '@xyflow/*',
            '@jupyterlab/*',
            '@jupyter/*',
            '@lumino/*',
            '../canvas/*',
            '../lab/*',
            '../widget/*',
            '../plain/*'
          ]
        }
      ]
    }
  },
  {
    files: ['src/canvas/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            '@jupyterlab/*',
            '@jupyter/*',
            '@lumino/*',
            '../lab/*',
            '../widget/*',
            '../plain/*'
          ]
        }
      ]
    }
  },
  {
    files: ['src/plain/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: ['@jupyterlab/*', '@jupyter/*', '@lumino/*', '../lab/*', '../widget/*'] }
      ]
    }
  }
);
