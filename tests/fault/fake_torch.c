/* Mapped under the name of a libtorch. */
int interpos_test_fake_torch(void);
__attribute__((visibility("default"))) int interpos_test_fake_torch(void)
{
    return 1;
}
