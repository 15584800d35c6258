/**
 * One step from a schema to another, as data: compared into being, examined for hazards, rendered into a migration.
 * An operation names what it needs to be undone by the reader, not by itself: the way back is compared anew.
 */
import type { Column, Constraint, Enum, Index, Sequence, Table } from './snapshot.ts'

export type Operation =
  | { readonly kind: 'rename table'; readonly table: string; readonly to: string }
  | { readonly kind: 'rename column'; readonly table: string; readonly column: string; readonly to: string }
  | {
      readonly kind: 'rename constraint'
      readonly table: string
      readonly constraint: string
      readonly to: string
    }
  | { readonly kind: 'rename index'; readonly table: string; readonly index: string; readonly to: string }
  | { readonly kind: 'rename enum'; readonly enum: string; readonly to: string }
  | { readonly kind: 'rename sequence'; readonly sequence: string; readonly to: string }
  | { readonly kind: 'create enum'; readonly enum: Enum }
  /** Before the label `before`; at the end without one. */
  | {
      readonly kind: 'add enum value'
      readonly enum: string
      readonly value: string
      readonly before: string | null
    }
  /**
   * A new type takes the place of the old one in `columns`: labels went, or moved, or are used at once. The columns are
   * those that have it before and after, as they shall be: their default is the one to set.
   */
  | {
      readonly kind: 'replace enum'
      readonly from: Enum
      readonly to: Enum
      readonly columns: readonly { readonly table: string; readonly column: Column }[]
    }
  | { readonly kind: 'drop enum'; readonly enum: Enum }
  | { readonly kind: 'create sequence'; readonly sequence: Sequence }
  | { readonly kind: 'drop sequence'; readonly sequence: Sequence }
  /**
   * With columns, primary key, unique and check constraints; foreign keys, indexes and all comments are operations of
   * their own.
   */
  | { readonly kind: 'create table'; readonly table: Table }
  | { readonly kind: 'drop table'; readonly table: Table }
  | { readonly kind: 'add column'; readonly table: string; readonly column: Column }
  | { readonly kind: 'drop column'; readonly table: string; readonly column: Column }
  /** One column, whatever of it changes: type, collation, nullability, default, identity, serial. */
  | { readonly kind: 'alter column'; readonly table: string; readonly from: Column; readonly to: Column }
  | { readonly kind: 'add constraint'; readonly table: string; readonly constraint: Constraint }
  | { readonly kind: 'drop constraint'; readonly table: string; readonly constraint: Constraint }
  /** It was NOT VALID. */
  | { readonly kind: 'validate constraint'; readonly table: string; readonly constraint: Constraint }
  | { readonly kind: 'create index'; readonly table: string; readonly index: Index }
  | { readonly kind: 'drop index'; readonly table: string; readonly index: Index }
  | {
      readonly kind: 'comment'
      readonly on:
        | { readonly table: string; readonly column?: string }
        | { readonly table: string; readonly constraint: string }
        | { readonly table: string; readonly index: string }
        | { readonly enum: string }
      readonly from: string | null
      readonly to: string | null
    }
  /** A difference that is told and never generated: between tenants, or in what models cannot say. */
  | {
      readonly kind: 'other'
      readonly what: string
      readonly from: string | null
      readonly to: string | null
    }

export const HAZARD_KINDS = [
  /** Rows or values are gone. */
  'data-loss',
  /** It may fail because of the rows that are there. */
  'may-fail',
  /** The whole table is written anew, under a lock that keeps out everybody. */
  'rewrite',
  /** A lock that keeps out writers, or everybody, while the table is read. */
  'long-lock',
  /** Code of the release before it fails from then on. */
  'breaks-code',
] as const

export type HazardKind = (typeof HAZARD_KINDS)[number]

export interface Hazard {
  readonly kind: HazardKind
  /** What exactly, in one sentence that begins with a capital letter. */
  readonly message: string
}

/** An operation with what may go wrong in applying it. */
export interface Assessed {
  readonly operation: Operation
  readonly hazards: readonly Hazard[]
}
