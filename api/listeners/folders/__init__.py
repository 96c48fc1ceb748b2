"""Hot folders: price lists that tills put into a folder, here or on an SFTP server.

    runner ──claim──▶ pickup ──list, open──▶ folder (local, sftp)
                        │ bytes ──▶ spool ──▶ import job and `seen_file` row in one transaction
                        │ … the import worker takes the job, as any other …
                        └─▶ result file, error file, move to done/ or rejected/

A file lies where its till put it until its job has ended, and what became of it is written down
before it is moved: whatever crashes, it is found again and not taken twice.
"""
