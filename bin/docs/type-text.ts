import { readFileSync } from 'node:fs';
import ts from 'typescript';

export type TypeText = { readonly name: string; readonly text: string; readonly comment: string };

/** The types of source files as they are written there, for documents that must not tell them a second time. */
export function readTypes(...files: readonly string[]) {
  const aliases = new Map(
    files.flatMap((file) => {
      const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
      return source.statements.filter(ts.isTypeAliasDeclaration).map((node) => [node.name.text, node] as const);
    }),
  );

  function alias(name: string): ts.TypeAliasDeclaration {
    const found = aliases.get(name);
    if (!found) throw new Error(`${files.join(', ')}: no type ${name}`);
    return found;
  }

  return {
    /** The members of an object type. */
    members(name: string): readonly TypeText[] {
      const { type } = alias(name);
      if (!ts.isTypeLiteralNode(type)) throw new Error(`${name} is no object type`);
      return type.members.filter(ts.isPropertySignature).map((member) => ({
        name: ts.isStringLiteral(member.name) ? member.name.text : member.name.getText(),
        text: tidy(member.type?.getText() ?? ''),
        comment: commentOf(member),
      }));
    },
    /** The alternatives of a union. */
    variants(name: string): readonly string[] {
      const { type } = alias(name);
      if (!ts.isUnionTypeNode(type)) throw new Error(`${name} is no union`);
      return type.types.map((variant) => tidy(variant.getText()));
    },
    declaration(name: string): TypeText {
      const node = alias(name);
      return { name, text: `type ${name} = ${tidy(node.type.getText())}`, comment: commentOf(node) };
    },
  };
}

const tidy = (text: string): string => text.replaceAll('readonly ', '').replace(/^\s*\|\s*/, '');

function commentOf(node: ts.Node): string {
  const docs = ts.getJSDocCommentsAndTags(node).map((doc) => ts.getTextOfJSDocComment(doc.comment) ?? '');
  return docs.join(' ').replace(/\s+/g, ' ').trim();
}
