DROP TABLE emails;
DROP TABLE user_archive;
