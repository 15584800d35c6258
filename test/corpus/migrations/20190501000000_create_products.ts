import { DataTypes, literal, type QueryInterface } from 'sequelize'
import type { MigrationFn } from 'umzug'

/** Every type of a column that PostgreSQL has without extensions. */
const Table = { products: 'products' } as const

export const up: MigrationFn<QueryInterface> = async ({ context }) => {
  await context.createTable(Table.products, {
    id: { type: DataTypes.BIGINT, primaryKey: true, autoIncrement: true },
    small: { type: DataTypes.SMALLINT, defaultValue: 7 },
    price: { type: DataTypes.DECIMAL(12, 2), allowNull: false, defaultValue: '0.00' },
    weight: DataTypes.REAL,
    ratio: DataTypes.DOUBLE,
    part: DataTypes.FLOAT,
    code: DataTypes.CHAR(3),
    token: { type: DataTypes.UUID, defaultValue: DataTypes.UUIDV4 },
    text: { type: DataTypes.TEXT, defaultValue: "it's; a 'text' -- not a comment" },
    data: DataTypes.JSON,
    binary: DataTypes.BLOB,
    day: { type: DataTypes.DATEONLY, defaultValue: '2020-02-29' },
    time: DataTypes.TIME,
    at: DataTypes.DATE(3),
    seen_at: { type: DataTypes.DATE, defaultValue: DataTypes.NOW },
    ip: DataTypes.INET,
    net: DataTypes.CIDR,
    mac: DataTypes.MACADDR,
    span: DataTypes.RANGE(DataTypes.INTEGER),
    period: DataTypes.RANGE(DataTypes.DATE),
    search: DataTypes.TSVECTOR,
    numbers: DataTypes.ARRAY(DataTypes.INTEGER),
    grid: DataTypes.ARRAY(DataTypes.ARRAY(DataTypes.TEXT)),
    labels: {
      type: DataTypes.ARRAY(DataTypes.ENUM('sale', 'new', 'last, one')),
      defaultValue: literal("'{}'"),
    },
    negative: { type: DataTypes.INTEGER, defaultValue: -1 },
  })
  await context.bulkInsert(Table.products, [
    { price: 12.5, code: 'abc', data: JSON.stringify({ a: [1] }), ip: '10.0.0.1', token: null },
  ])
}

export const down: MigrationFn<QueryInterface> = async ({ context }) => {
  await context.dropTable(Table.products)
  await context.sequelize.query('DROP TYPE enum_products_labels')
}
